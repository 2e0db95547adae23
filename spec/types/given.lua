---@meta
-- SPDX-License-Identifier: MIT
-- What the documentation's shorter blocks take for given.

chainlink = require "chainlink"
---@type chainlink.Client
client = nil
---@type chainlink.Report
report = nil
---@type chainlink.SignerRegistry
registry = nil
---@type chainlink.Onchain
chain = nil
---@type string
feed_id = nil
---@type string
other_feed_id = nil
---@type string[]
feed_ids = nil
---@type fun(seconds: number)
wait = nil
---@type fun()
try_again = nil
---@type any
love = nil
