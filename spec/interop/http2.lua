-- SPDX-License-Identifier: MIT
-- Some requests one after the other, by the environment's settings; prints what came of them.

local cjson = require "cjson"
local chainlink = require "chainlink"

local client = chainlink.client_from_env { retry_delay = 0.01 }
local feed = assert(client:get_feeds())[1].id
local now = os.time()
local expected = 1
local reports = 0
for second = now - 30, now - 11 do
  assert(client:get_report(feed, second))
  expected = expected + 1
  reports = reports + 1
end
local stats = client:stats()
io.write(cjson.encode { expected = expected, reports = reports, requests = stats.requests, retries = stats.retries },
  "\n")
