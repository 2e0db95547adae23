-- SPDX-License-Identifier: MIT
-- Reports and their fields as other implementations read them: made ones (spec/data), real ones where at hand.

local cjson = require "cjson"

local vectors = { REAL_REPORTS = "../shared/vectors/real-reports.json" }

local function read_json(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read "*a"
  file:close()
  return cjson.decode(text)
end

--- The made reports, of all schemas.
function vectors.made()
  return assert(read_json "spec/data/vectors.json", "run the specs from the project's root").reports
end

--- The real reports, nil where their file is absent.
function vectors.real()
  return read_json(vectors.REAL_REPORTS)
end

local function snake_case(abi_name)
  return (abi_name:gsub("%u", function(letter) return "_" .. letter:lower() end))
end

--- Asserts that a report has exactly a vector's content.
function vectors.check(report, vector)
  local name = vector.case or vector.digest
  assert(report.version == vector.version, name)
  assert(report.full_report == vector.fullReport, name)
  for i = 1, 3 do assert(report.report_context[i] == vector.reportContext[i], name) end
  for abi_name, expected in pairs(vector.fields) do
    local field = snake_case(abi_name)
    local got = expected:sub(1, 2) == "0x" and report[field] or report:raw(field)
    if got ~= expected then
      error(("v%d %s: %s is %s, not %s"):format(vector.version, name, field, tostring(got), expected), 2)
    end
  end
end

return vectors
