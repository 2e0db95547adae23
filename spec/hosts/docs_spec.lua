-- SPDX-License-Identifier: MIT
-- Every program of docs/hosts.md runs, as a reader would paste it, against the simulator.
local host = require "spec.support.host"
local project = require "spec.support.project"
local simulator = require "spec.support.simulator"

describe("docs/hosts.md", function()
  local sim, folder, remove
  setup(function()
    sim = simulator.start { rate = 5 }
    folder, remove = project.folder()
  end)
  teardown(function()
    if sim then sim:stop() end
    if remove then remove() end
  end)

  local count = 0
  for block in project.read "docs/hosts.md":gmatch "\n```lua\n(.-)\n```" do
    count = count + 1
    local library = block:match 'require "([%l_]+)"'
    local name = ("program %d, with %s"):format(count, library)
    local define = (library == "chainlink" or host.has(library)) and it or pending
    define(name, function()
      project.write(folder .. "/block.lua", block .. "\n")
      local exports = {}
      for variable, value in pairs(sim.env) do exports[#exports + 1] = ("%s='%s'"):format(variable, value) end
      local output, status = project.run(("%s timeout 60 %s %s/block.lua 2>&1"):format(table.concat(exports, " "),
        project.lua, folder))
      assert.are.equal(0, status, output)
      local prices = 0
      for line in output:gmatch "[^\n]+" do
        assert.is_number(tonumber(line), output)
        prices = prices + 1
      end
      assert.is_true(prices >= 3)
    end)
  end

  it("has one for each host", function() assert.are.equal(8, count) end)
end)
