-- SPDX-License-Identifier: MIT
-- Mistakes that the checker has to find, each on its line; what it says of it stands behind.

local chainlink = require "chainlink"
local client = chainlink.client_from_env()
local report, err = client:get_latest_report(assert(arg[1]))

print(report.price) --> report may be nil
if not report then return print(err.message) end
print(report.pricee) --> Undefined field `pricee`
print(report.best_bit) --> Undefined field `best_bit`
print(report:exakt "price") --> Undefined field `exakt`
print(client:stats().request) --> Undefined field `request`
print(err.kind) --> err may be nil
client:reports(7, 0) --> expected `string` but found
