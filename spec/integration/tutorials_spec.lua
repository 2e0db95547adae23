-- SPDX-License-Identifier: MIT
-- The tutorials' programs are those of their pages, run against the simulator, and draw the pages' pictures.
local documents = require "spec.support.documents"
local endless = require "spec.support.endless"
local project = require "spec.support.project"
local simulator = require "spec.support.simulator"

local FOLDER = "examples/tutorials/"

local tutorials = {
  { page = "price-monitor", prefix = "monitor", steps = {
    { live = true, arguments = "", expect = "^%d%d:%d%d:%d%d\t%d+%.?%d*\n", lines = 5 },
    { live = true, arguments = "0.0000001 4", expect = " [+-]%d%.%d%d%d%d %%  ALERT\n", lines = 4 },
    { live = true, arguments = "0.0000001 4", expect = "^ALERT [+-]%d%.%d%d%d%d %% to %d+%.%d+\n" },
    { arguments = "1767225600 0.03", picture = true },
  } },
  { page = "history-chart", prefix = "history", steps = {
    { arguments = "1767225600", expect = "^1767225600\t%d+%.%d+\n", lines = 60 },
    { arguments = "1767225600", expect = "\n00:00:00  [%d%. ]+  60\n", lines = 11 },
    { arguments = "1767225600", picture = true },
  } },
  { page = "feed-watch", prefix = "watch", steps = {
    { live = true, arguments = "", expect = "^BTC/USD%s+%d+%.%d+  %-?%d+ s old\nETH/USD .-\nAAPL/USD ", lines = 3 },
    { live = true, arguments = "2", expect = "^%d%d:%d%d:%d%d  1 BTC = %d+%.%d%d%d%d ETH\n", lines = 2 },
    { live = true, arguments = "1", expect = "^BTC/USD%s+[%d%.%-]+  %l", lines = 3 },
    { arguments = "1767618000", picture = true },
  } },
}

describe("the tutorial", function()
  local live, past
  setup(function()
    live = simulator.start { rate = 5, rate_limit = 0 }
    past = simulator.start { rate_limit = 0 }
  end)
  teardown(function()
    if live then live:stop() end
    if past then past:stop() end
  end)

  local function run(step, program)
    local output, status = project.run(("%s timeout 60 %s %s %s"):format((step.live and live or past):exports(),
      project.lua, program, step.arguments))
    assert.equal(0, status, output)
    return output
  end

  for _, tutorial in ipairs(tutorials) do
    local page = "docs/tutorial-" .. tutorial.page .. ".md"

    it(tutorial.page .. " shows its programs", function()
      local blocks = documents.blocks(page, "lua")
      assert.equal(#tutorial.steps, #blocks)
      for i, block in ipairs(blocks) do
        local text = project.read(("%s%s_%d.lua"):format(FOLDER, tutorial.prefix, i))
        assert.equal(text:match "^%-%- SPDX[^\n]*\n%-%- [^\n]*\n(.*)$", block.text)
      end
    end)

    for i, step in ipairs(tutorial.steps) do
      it(("%s, step %d"):format(tutorial.page, i), function()
        local output = run(step, ("%s%s_%d.lua"):format(FOLDER, tutorial.prefix, i))
        if step.picture then
          return assert.is_true(project.read("docs/tutorial-" .. tutorial.page .. ".svg") == output, "another picture")
        end
        assert.matches(step.expect, output)
        local _, lines = output:gsub("\n", "")
        if step.lines then assert.equal(step.lines, lines) end
      end)
    end
  end

  it("of each prefix has no other programs", function()
    local count = 0
    for _, tutorial in ipairs(tutorials) do count = count + #tutorial.steps end
    local _, programs = project.run("ls " .. FOLDER .. "*_*.lua"):gsub("\n", "")
    assert.equal(count, programs)
  end)

  it("price-monitor tells of silence", function()
    live:fault "on=ws,action=quiet,after=1"
    local output = endless.run(("%s %s %smonitor_3.lua 100"):format(live:exports(), project.lua, FOLDER), 1)
    assert.equal("ALERT no report for 3 seconds\n", output)
  end)
end)
