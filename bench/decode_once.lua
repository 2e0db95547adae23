-- SPDX-License-Identifier: MIT
-- Decodes a v3 report and reads three numbers of it, so many times, for bench/check.lua.   decode_once.lua COUNT
local chainlink = require "chainlink"
local vectors = require "spec.support.vectors"

local text
for _, vector in ipairs(vectors.made()) do
  if vector.version == 3 then text = text or vector.fullReport end
end

local sum = 0
for _ = 1, tonumber(arg[1]) do
  local report = chainlink.decode(text)
  sum = sum + report.price + report.bid + report.ask
end
assert(sum == sum)
