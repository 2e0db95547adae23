-- SPDX-License-Identifier: MIT
-- Lets a chain's own contract judge a feed's latest report.
--   lua examples/onchain_check.lua RPC_URL NETWORK FEED_ID
-- NETWORK is a name of docs/onchain.md, or the address of a verifier proxy.
local chainlink = require "chainlink"

local rpc_url, network, feed_id = arg[1], arg[2], arg[3]
if not rpc_url or not network or not feed_id then
  io.stderr:write "usage: lua examples/onchain_check.lua RPC_URL NETWORK FEED_ID\n"
  return os.exit(2)
end

local is_address = network:find "^0x"
local chain = chainlink.onchain {
  rpc_url = rpc_url,
  network = not is_address and network or nil,
  verifier_proxy = is_address and network or nil,
}
local client = chainlink.client_from_env()

local report = assert(client:get_latest_report(feed_id))
local ok, err = chain:verify(report)
local verdict = "the contract verifies it"
if not ok then verdict = ("NOT verified: %s, %s"):format(err.reason or err.kind, err.message) end
print(("%s at %d: %s"):format(report:exact "price", report.observations_timestamp, verdict))

chain:close()
client:close()
os.exit(ok and 0 or 1, true)
