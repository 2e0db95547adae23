-- SPDX-License-Identifier: MIT
-- Tutorial "A price monitor", step 1: five prices of a feed.
local chainlink = require "chainlink"
local client = chainlink.client_from_env()
local stream = client:stream { "0x00030b43555ace6b39aae1b894097d0a9fc17f504c62fea598fa206cc6f5088e" }

for _ = 1, 5 do
  local report = assert(stream:read())
  print(os.date("!%H:%M:%S", report.observations_timestamp), report.price)
end
client:close()
