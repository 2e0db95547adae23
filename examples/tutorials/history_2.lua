-- SPDX-License-Identifier: MIT
-- Tutorial "History to a chart", step 2: candles.   lua history_2.lua [FROM]
package.path = (assert(arg[0]):match "^.*/" or "./") .. "?.lua;" .. package.path
local chainlink, candles = require "chainlink", require "candles"
local client = chainlink.client_from_env()
local from = math.floor(tonumber(arg[1]) or os.time() - 600)
from = from - from % 60

print "time      open     high     low      close    reports"
local reports = client:reports("0x00030b43555ace6b39aae1b894097d0a9fc17f504c62fea598fa206cc6f5088e", from, from + 599)
for _, candle in ipairs(candles.of(reports, 60)) do
  print(("%s  %.2f  %.2f  %.2f  %.2f  %d"):format(os.date("!%H:%M:%S", candle.time), candle.open, candle.high,
    candle.low, candle.close, candle.count))
end
client:close()
