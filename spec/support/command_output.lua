-- SPDX-License-Identifier: MIT
-- What a command of the command line writes, run in the spec's own process.

local output = require "chainlink.cli.output"
local standard_error = require "spec.support.standard_error"

local command_output = {}

--- Runs a function. -> what it wrote to standard output, and to standard error, what it answers, and how often the
--- output was flushed. What it raises is raised.
function command_output.of(run, ...)
  local written, flushed, arguments = {}, 0, { n = select("#", ...), ... }
  local handle = {
    write = function(_, ...)
      for i = 1, select("#", ...) do written[#written + 1] = (select(i, ...)) end
      return true
    end,
    flush = function()
      flushed = flushed + 1
      return true
    end,
  }
  local words, result = standard_error.of(function()
    output.redirect(handle)
    local answers = { pcall(run, (table.unpack or unpack)(arguments, 1, arguments.n)) } -- luacheck: ignore 113 143
    output.redirect()
    return answers
  end)
  if not result[1] then error(result[2], 0) end
  return table.concat(written), words, result[2], flushed
end

return command_output
