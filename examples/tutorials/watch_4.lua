-- SPDX-License-Identifier: MIT
-- Tutorial "A watch over feeds", step 4: a picture of an hour.   lua watch_4.lua [FROM]
package.path = (assert(arg[0]):match "^.*/" or "./") .. "?.lua;" .. package.path
local chainlink, feeds, svg = require "chainlink", require "feeds", require "svg"
local from = math.floor(tonumber(arg[1]) or os.time() - 3600)
local to = from + 3599
local client = chainlink.client_from_env()
local ids = feeds.find(client, { "BTC/USD", "ETH/USD", "AAPL/USD" })
local btc, eth, apple = assert(ids[1]), assert(ids[2]), assert(ids[3])

---@type table<integer, number?>
local of_eth = {}
local ratio, low, high = {}, math.huge, -math.huge
for report in client:reports(eth, from, to) do of_eth[report.observations_timestamp] = report.price end
for report in client:reports(btc, from, to) do
  local time = report.observations_timestamp
  local value = of_eth[time] and assert(report.price) / of_eth[time]
  if value then
    ratio[#ratio + 1] = { time, value }
    low, high = math.min(low, value), math.max(high, value)
  end
end

-- Spans in which the market of the third feed had the same status.
local spans = {}
for report in client:reports(apple, from, to) do
  local time, status, last = report.observations_timestamp, report:market_status_name(), spans[#spans]
  if last and last.status == status then last.to = time + 1
  else spans[#spans + 1] = { from = time, to = time + 1, status = status } end
end
client:close()

local chart = svg.chart("An hour of three feeds", from, to + 1)
chart:panel("1 BTC in ETH", 220, low, high, "%.3f")
chart:line(ratio, "#2f6bff")
chart:panel("market of AAPL/USD: green is open", 24, 0, 1, "")
local colours = { open = "#1f8a5b", closed = "#9aa3b2" }
for _, span in ipairs(spans) do chart:bar(span.from, span.to, 0, 1, colours[span.status] or "#d9a400") end
io.write(chart:finish())
