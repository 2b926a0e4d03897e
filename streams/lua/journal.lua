-- Append one entry to a shard's journal, if the shard is still ours.
-- KEYS: owner, sequence, journal.  ARGV: token, number of the entry, entry.
-- Returns 1 when the entry stands in the journal (a client's retry included), 0 when the shard has another owner,
-- -1 when the journal does not end where the caller believes.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local stored = tonumber(redis.call('GET', KEYS[2]) or '0')
local ahead = tonumber(ARGV[2]) - stored - redis.call('LLEN', KEYS[3])
if ahead == 1 then
  redis.call('RPUSH', KEYS[3], ARGV[3])
  return 1
end
if ahead == 0 and redis.call('LINDEX', KEYS[3], -1) == ARGV[3] then return 1 end
return -1
