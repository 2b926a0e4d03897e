-- Put other entries in the place of a shard's journal, if the shard is still ours.
-- KEYS: owner, sequence, journal.  ARGV: token, sequence expected, then the entries.
-- Returns 1 when they stand, 0 when the shard has another owner, -1 when the store is at another checkpoint.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if (redis.call('GET', KEYS[2]) or '0') ~= ARGV[2] then return -1 end
redis.call('DEL', KEYS[3])
for i = 3, #ARGV do redis.call('RPUSH', KEYS[3], ARGV[i]) end
return 1
