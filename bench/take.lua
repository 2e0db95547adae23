-- SPDX-License-Identifier: MIT
-- Takes so many reports from the stream of all feeds of the environment's credentials, for bench/check.lua.
--   take.lua COUNT

local chainlink = require "chainlink"

local client = chainlink.client_from_env()
local ids = {}
for i, feed in ipairs(assert(client:get_feeds())) do ids[i] = feed.id end
local left = tonumber(arg[1])
for _ in client:stream(ids) do
  left = left - 1
  if left == 0 then break end
end
client:close()
