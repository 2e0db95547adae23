-- SPDX-License-Identifier: MIT
-- Reads full reports from standard input, one a line, and prints what chainlink.decode makes of each as a line of JSON.

local cjson = require "cjson"
local chainlink = require "chainlink"

local function describe(full_report)
  local report, err = chainlink.decode(full_report)
  if not report then return { error = err.kind .. ": " .. err.message } end
  local fields = {}
  local schema = chainlink.schemas[report.version]
  for _, field in ipairs(schema and schema.fields or {}) do
    local is_text = field.type == "bytes32"
    fields[field.abi_name] = is_text and report[field.name] or report:raw(field.name)
  end
  fields.feedId = report.feed_id
  return { version = report.version, fields = fields, signatures = #report.signatures }
end

for line in io.lines() do io.write(cjson.encode(describe(line)), "\n") end
