-- SPDX-License-Identifier: MIT
-- Tutorial "A price monitor", step 4: a picture of the past.   lua monitor_4.lua [FROM [PERCENT]]
package.path = (assert(arg[0]):match "^.*/" or "./") .. "?.lua;" .. package.path
local chainlink, alerts, svg = require "chainlink", require "alerts", require "svg"
local from = math.floor(tonumber(arg[1]) or os.time() - 600)
local to = from + 599
local judge = alerts.rule(tonumber(arg[2]) or 0.05, 60)

local client = chainlink.client_from_env()
local points, marks, low, high = {}, {}, math.huge, -math.huge
for report in client:reports("0x00030b43555ace6b39aae1b894097d0a9fc17f504c62fea598fa206cc6f5088e", from, to) do
  local time, price = report.observations_timestamp, assert(report.price)
  local move, is_alert = judge(report)
  points[#points + 1] = { time, price }
  low, high = math.min(low, price), math.max(high, price)
  if is_alert then marks[#marks + 1] = { time, price, ("%+.2f %%"):format(move) } end
end
client:close()

local chart = svg.chart("ETH/USD, and when an alert would have come", from, to + 1)
local margin = (high - low) / 8
chart:panel("USD", 260, low - margin, high + margin)
chart:line(points, "#2f6bff")
for _, mark in ipairs(marks) do chart:mark(mark[1], mark[2], mark[3], "#c62828") end
io.write(chart:finish())
