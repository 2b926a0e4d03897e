-- Replace a shard's position, if the shard is still ours.  KEYS: owner, position.  ARGV: token, position.
-- Returns 1, or 0 when the shard has another owner.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[2])
return 1
