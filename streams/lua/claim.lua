-- Become a shard's owner.  KEYS: owner.  ARGV: token, owner that was seen before ('' for none).
-- Returns 1 when the shard is ours (a client's retry included), 0 when someone else claimed it since then.
local owner = redis.call('GET', KEYS[1]) or ''
if owner == ARGV[1] then return 1 end
if owner ~= ARGV[2] then return 0 end
redis.call('SET', KEYS[1], ARGV[1])
return 1
