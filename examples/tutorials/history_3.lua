-- SPDX-License-Identifier: MIT
-- Tutorial "History to a chart", step 3: the chart.   lua history_3.lua [FROM]
package.path = (assert(arg[0]):match "^.*/" or "./") .. "?.lua;" .. package.path
local chainlink, candles, svg = require "chainlink", require "candles", require "svg"
local SPAN = 30 -- seconds
local from = math.floor(tonumber(arg[1]) or os.time() - 1800)
from = from - from % SPAN
local to = from + 1799

local client = chainlink.client_from_env()
local reports = client:reports("0x00030b43555ace6b39aae1b894097d0a9fc17f504c62fea598fa206cc6f5088e", from, to)
local list = candles.of(reports, SPAN)
client:close()

local low, high = math.huge, -math.huge
for _, candle in ipairs(list) do low, high = math.min(low, candle.low), math.max(high, candle.high) end
local chart = svg.chart("ETH/USD, half an hour in candles of 30 seconds", from, to + 1)
chart:panel("USD", 280, low - (high - low) / 10, high + (high - low) / 10)
for _, candle in ipairs(list) do
  local rises = candle.close >= candle.open
  local colour = rises and "#1f8a5b" or "#c62828"
  local middle = candle.time + SPAN / 2
  chart:bar(middle - 0.8, middle + 0.8, candle.low, candle.high, colour)
  chart:bar(candle.time + 4, candle.time + SPAN - 4, math.min(candle.open, candle.close),
    math.max(candle.open, candle.close), colour)
end
io.write(chart:finish())
