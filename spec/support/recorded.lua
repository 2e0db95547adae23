-- SPDX-License-Identifier: MIT
-- What is in a recording, read by a JSON library: not by what is tested.

local cjson = require "cjson"
local project = require "spec.support.project"

local recorded = {}

--- The lines of a file: { heads = {…}, events = {…}, reports = {…}, all = {…} }. A line that is not whole raises, but
--- for the last one of a file whose writer was killed, where `may_be_cut`.
function recorded.read(path, may_be_cut)
  local text = project.read(path)
  local found = { heads = {}, events = {}, reports = {}, all = {} }
  assert(may_be_cut or text:sub(-1) == "\n", path .. " ends within a line")
  for line in text:gmatch "([^\n]*)\n" do
    local value = cjson.decode(line)
    local kind = value.format and "heads" or value.event and "events" or "reports"
    table.insert(found[kind], value)
    table.insert(found.all, value)
  end
  return found
end

return recorded
