-- SPDX-License-Identifier: MIT
-- Tutorial "A watch over feeds", step 1: the latest of three feeds.
package.path = (assert(arg[0]):match "^.*/" or "./") .. "?.lua;" .. package.path
local chainlink, feeds = require "chainlink", require "feeds"
local client = chainlink.client_from_env()
local ids, names = feeds.find(client, { "BTC/USD", "ETH/USD", "AAPL/USD" })

for _, id in ipairs(ids) do
  local report = assert(client:get_latest_report(id))
  local age = os.time() - report.observations_timestamp
  print(("%-9s %14s  %d s old"):format(names[id], report:exact "price", age))
end
client:close()
