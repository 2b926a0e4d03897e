-- Store a shard's checkpoint: everything or nothing, and only for the shard's owner.
-- KEYS: owner, sequence, journal, timers, then the keys to set, then the keys to delete, then the lists to append to.
-- ARGV: token, sequence expected, sequence new, number of keys to set, number of keys to delete, number of timers to set,
--       number of timers to remove, number of lists; then the values to set; then score and member of each timer; then
--       members to remove; then for each list how many entries it keeps, how many are new, and these.
-- Returns 1 when the checkpoint stands (a client's retry included), 0 when the shard has another owner, -1 when the store is at another checkpoint.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local stored = redis.call('GET', KEYS[2]) or '0'
if stored == ARGV[3] then return 1 end
if stored ~= ARGV[2] then return -1 end
local sets, deletes, timers, cleared = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local lists = tonumber(ARGV[8])
local FIXED = 8
local CHUNK = 1000
local function chunks(command, prefix, list)
  for start = 1, #list, CHUNK do
    local stop = math.min(start + CHUNK - 1, #list)
    if prefix then redis.call(command, prefix, unpack(list, start, stop))
    else redis.call(command, unpack(list, start, stop)) end
  end
end
local pairs_ = {}
for i = 1, sets do
  pairs_[2 * i - 1] = KEYS[4 + i]
  pairs_[2 * i] = ARGV[FIXED + i]
end
chunks('MSET', nil, pairs_)
local gone = {}
for i = 1, deletes do gone[i] = KEYS[4 + sets + i] end
chunks('DEL', nil, gone)
local at = FIXED + sets
local due = {}
for i = 1, 2 * timers do due[i] = ARGV[at + i] end
chunks('ZADD', KEYS[4], due)
at = at + 2 * timers
local ended = {}
for i = 1, cleared do ended[i] = ARGV[at + i] end
chunks('ZREM', KEYS[4], ended)
at = at + cleared
for i = 1, lists do
  local list, keep, count = KEYS[4 + sets + deletes + i], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  local entries = {}
  for j = 1, count do entries[j] = ARGV[at + 2 + j] end
  chunks('RPUSH', list, entries)
  redis.call('LTRIM', list, -keep, -1)
  at = at + 2 + count
end
redis.call('LTRIM', KEYS[3], tonumber(ARGV[3]) - tonumber(ARGV[2]), -1)
redis.call('SET', KEYS[2], ARGV[3])
return 1
