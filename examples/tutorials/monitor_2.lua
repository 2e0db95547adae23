-- SPDX-License-Identifier: MIT
-- Tutorial "A price monitor", step 2: an alert at a move.   lua monitor_2.lua [PERCENT [REPORTS]]
package.path = (assert(arg[0]):match "^.*/" or "./") .. "?.lua;" .. package.path
local chainlink, alerts = require "chainlink", require "alerts"
local client = chainlink.client_from_env()
local stream = client:stream { "0x00030b43555ace6b39aae1b894097d0a9fc17f504c62fea598fa206cc6f5088e" }
local judge = alerts.rule(tonumber(arg[1]) or 0.05, 60)

for _ = 1, tonumber(arg[2]) or 20 do
  local report = assert(stream:read())
  local move, is_alert = judge(report)
  print(("%s %s %+.4f %%%s"):format(os.date("!%H:%M:%S", report.observations_timestamp), report:exact "price", move,
    is_alert and "  ALERT" or ""))
end
client:close()
