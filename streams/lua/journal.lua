-- Append one entry to a shard's journal, if the shard is still ours, and read what applying it needs.
-- KEYS: owner, sequence, journal, then the keys to read.  ARGV: token, number of the entry, entry.
-- Returns a code and the values: 1 when the entry stands in the journal (a client's retry included), 0 when the shard has
-- another owner, -1 when the journal does not end where the caller believes.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {0} end
local stored = tonumber(redis.call('GET', KEYS[2]) or '0')
local ahead = tonumber(ARGV[2]) - stored - redis.call('LLEN', KEYS[3])
if ahead == 1 then
  redis.call('RPUSH', KEYS[3], ARGV[3])
elseif ahead ~= 0 or redis.call('LINDEX', KEYS[3], -1) ~= ARGV[3] then
  return {-1}
end
local answer = {1}
local CHUNK = 1000
for start = 4, #KEYS, CHUNK do
  local values = redis.call('MGET', unpack(KEYS, start, math.min(start + CHUNK - 1, #KEYS)))
  for i = 1, #values do answer[start - 3 + i] = values[i] end
end
return answer
