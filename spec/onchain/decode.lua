-- SPDX-License-Identifier: MIT
-- Usage: decode.lua DECODINGS: does chainlink.decode accept exactly what the chain's abi.decode accepted, with equal
-- values? The file is that of decode.mjs.

package.path = "spec/onchain/?.lua;" .. package.path
local chainlink = require "chainlink"
local tap = require "tap"

local function list(cell)
  local items = {}
  for item in cell:gmatch "[^,]+" do items[#items + 1] = item end
  return items
end

local function snake_case(name)
  return (name:gsub("(%u)", function(c) return "_" .. c:lower() end))
end

-- There may be more rs than ss, or fewer; ours adds the 27 that ecrecover wants to a v.
local function compare_signatures(report, rs, ss, vs)
  local signatures = report.signatures
  if #signatures ~= math.max(#rs, #ss) then return "another number of signatures" end
  for i, signature in ipairs(signatures) do
    if signature.r ~= rs[i] then return "r " .. i end
    if signature.s ~= ss[i] then return "s " .. i end
    if signature.v ~= 27 + tonumber(vs:sub(2 * i + 1, 2 * i + 2), 16) then return "v " .. i end
  end
end

local function compare_fields(report, row)
  local first = 10
  for i = first, #row do
    local name, value = row[i]:match "^(%w+)=(.*)$"
    local field = snake_case(name)
    local ours = field == "feed_id" and report.feed_id or report:raw(field)
    if ours ~= value then return ("%s is %s, not %s"):format(field, tostring(ours), value) end
  end
  local fields = math.max(#report, 1) -- one without a schema has its feed id
  if #row - first + 1 ~= fields then return "another number of fields" end
end

local function compare(row)
  local report, err = chainlink.decode(row[2])
  if row[3] == "no" then return report and "only ours accepts it" or nil end
  if not report then return "only the chain accepts it: " .. tostring(err) end
  local context = report.report_context
  if table.concat(context, ",") ~= row[4] then return "context" end
  if report.report_blob ~= row[5] then return "blob" end
  return compare_signatures(report, list(row[6]), list(row[7]), row[8]) or compare_fields(report, row)
end

local rows = tap.rows(arg[1])
local kinds, order = {}, {}
for _, row in ipairs(rows) do
  if not kinds[row[1]] then
    kinds[row[1]] = {}
    order[#order + 1] = row[1]
  end
  table.insert(kinds[row[1]], row)
end
for _, kind in ipairs(order) do tap.each("abi.decode: " .. kind, kinds[kind], compare) end

local accepted = 0
for _, row in ipairs(rows) do accepted = accepted + (row[3] == "yes" and 1 or 0) end
tap.ok(#rows >= 5000 and accepted >= 1000 and #rows - accepted >= 1000,
  ("enough encodings: %d, of which the chain accepts %d"):format(#rows, accepted))
tap.finish()
