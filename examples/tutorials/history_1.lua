-- SPDX-License-Identifier: MIT
-- Tutorial "History to a chart", step 1: a minute of prices.   lua history_1.lua [FROM]
local chainlink = require "chainlink"
local client = chainlink.client_from_env()
local from = math.floor(tonumber(arg[1]) or os.time() - 60)

for report in client:reports("0x00030b43555ace6b39aae1b894097d0a9fc17f504c62fea598fa206cc6f5088e", from, from + 59) do
  print(report.observations_timestamp, report:exact "price")
end
client:close()
