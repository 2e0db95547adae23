-- SPDX-License-Identifier: MIT
-- Tutorial "A watch over feeds", step 2: the ratio of two.   lua watch_2.lua [LINES]
package.path = (assert(arg[0]):match "^.*/" or "./") .. "?.lua;" .. package.path
local chainlink, feeds = require "chainlink", require "feeds"
local client = chainlink.client_from_env()
local ids = feeds.find(client, { "BTC/USD", "ETH/USD" })
local stream = client:stream(ids)
local left = tonumber(arg[1]) or 10

-- A ratio is of one moment: both prices of the same second.
local function ratio(btc, eth)
  local same = btc and eth and btc.observations_timestamp == eth.observations_timestamp
  return same and btc.price / eth.price
end

local newest = {}
while left > 0 do
  local report = assert(stream:read())
  newest[report.feed_id] = report
  local value = ratio(newest[ids[1]], newest[ids[2]])
  if value then
    print(("%s  1 BTC = %.4f ETH"):format(os.date("!%H:%M:%S", report.observations_timestamp), value))
    left = left - 1
  end
end
client:close()
