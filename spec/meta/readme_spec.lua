-- SPDX-License-Identifier: MIT
-- Every ```lua block of the README runs, as a reader would paste it, against the simulator.
local project = require "spec.support.project"
local simulator = require "spec.support.simulator"

local function blocks(text)
  local list = {}
  for block in text:gmatch "\n```lua\n(.-)\n```" do list[#list + 1] = block end
  return list
end

-- Blocks that stream go on for ever: a few lines are enough, and closing the pipe ends them.
local LINES = 3

local function run(block, sim, folder)
  project.write(folder .. "/block.lua", 'io.stdout:setvbuf "line" ' .. block .. "\n")
  local endless = block:find "for report in client:stream"
  local command = ("%s timeout 20 %s %s/block.lua 2>%s/errors"):format(
    sim:exports(), project.lua, folder, folder)
  if endless then command = command .. " | head -n " .. LINES end
  local output, status = project.run(command)
  return output, status, project.read(folder .. "/errors"), endless
end

describe("the README's Lua", function()
  local sim, folder, remove
  setup(function()
    sim = simulator.start()
    folder, remove = project.folder()
  end)
  teardown(function()
    if sim then sim:stop() end
    if remove then remove() end
  end)

  local list = blocks(project.read "README.md")

  it("is there", function()
    assert.is_true(#list >= 4)
  end)

  for i, block in ipairs(list) do
    it("block " .. i .. " runs", function()
      local output, status, errors, endless = run(block, sim, folder)
      assert.equal("", errors)
      assert.equal(0, status, output)
      assert.is_nil(output:find "%f[%w]nil%f[%W]", "a field that is not there:\n" .. output)
      local _, lines = output:gsub("\n", "")
      assert.is_true(lines >= (endless and LINES or 1), "it printed:\n" .. output)
    end)
  end
end)

describe("the recipes for the shell", function()
  local texts = { hint = project.read "lua/chainlink/cli/init.lua" }
  for path in project.run("ls README.md docs/*.md"):gmatch "[^\n]+" do texts[path] = project.read(path) end

  it("name no file in a folder that others can write to", function()
    for path, text in pairs(texts) do
      assert.is_nil(text:find("[%s\"'=]/tmp/"), path)
      assert.is_nil(text:find("/var/tmp", 1, true), path)
    end
  end)

  -- The lines from the folder's making to the reading of the file in it.
  local function recipes(text)
    local list = {}
    for recipe in text:gmatch '(folder=%$%(mktemp %-d%)\n.-%. "%$folder/env"\n)' do list[#list + 1] = recipe end
    return list
  end

  for path, count in pairs { ["README.md"] = 1, ["docs/simulator.md"] = 1, ["docs/command-line.md"] = 1,
    ["docs/getting-started.md"] = 2, hint = 1 } do
    it("start a simulator, and tell nobody else of its secret: " .. path, function()
      local list = recipes(texts[path])
      assert.are.equal(count, #list)
      for _, recipe in ipairs(list) do
        local output, status = project.run("timeout 60 sh -c '" .. recipe .. [[
          stat -c %a "$folder" "$folder/env"
          chainlink-streams feeds --format json | wc -l
          kill "$CHAINLINK_SIMULATOR_PID"
          rm -r "$folder"']])
        assert.are.equal("700\n600\n26\n", output)
        assert.are.equal(0, status)
      end
    end)
  end
end)
