-- SPDX-License-Identifier: MIT
-- The fenced blocks and the links of the documentation. What the README's blocks print is in readme_spec.lua.
local declared = require "spec.support.declared"
local documents = require "spec.support.documents"
local project = require "spec.support.project"
local simulator = require "spec.support.simulator"

local compile = rawget(_G, "loadstring") or load

local function each_block(language, run)
  local count = 0
  for _, path in ipairs(documents.paths()) do
    for _, block in ipairs(documents.blocks(path, language)) do
      count = count + 1
      run(block, ("%s:%d"):format(path, block.line))
    end
  end
  return count
end

describe("the examples", function()
  it("in Lua compile", function()
    local count = each_block("lua", function(block, place)
      local chunk, err = compile(block.text, "=" .. place)
      assert.truthy(chunk, err)
    end)
    assert.is_true(count > 10, "only " .. count)
  end)

  it("in Lua that are whole run against the simulator", function()
    local sim = simulator.start()
    local folder, remove = project.folder()
    local failed, count = {}, 0
    each_block("lua", function(block, place)
      local is_whole = block.text:find 'require "chainlink"' and not block.text:find "chainlink%.onchain"
      local has_own = block.path == "README.md" or block.path == "docs/hosts.md" or block.path:find "^docs/tutorial%-"
      if has_own or not is_whole then return end
      count = count + 1
      project.write(folder .. "/block.lua", block.text)
      local output, status = project.run(("%s timeout 30 %s %s/block.lua"):format(
        sim:exports(), project.lua, folder))
      if status ~= 0 then failed[#failed + 1] = place .. ": " .. output end
    end)
    sim:stop()
    remove()
    assert.equal("", table.concat(failed, "\n"))
    assert.is_true(count > 0)
  end)

  it("for the shell are such, with commands that there are", function()
    local known = " " .. table.concat(declared.commands(), " ") .. " "
    local folder, remove = project.folder()
    local count = each_block("sh", function(block, place)
      project.write(folder .. "/block", block.text)
      local output, status = project.run(("sh -n %s/block"):format(folder))
      assert.equal(0, status, place .. ": " .. output)
      for command in block.text:gmatch "chainlink%-streams (%l+)" do
        assert.truthy(known:find(" " .. command .. " ", 1, true), ("%s: there is no command %s"):format(place, command))
      end
      for target in block.text:gmatch "%f[%w]make (%l[%w-]*)" do
        local declared_target = project.read "Makefile":find("\n" .. target:gsub("%-", "%%-") .. ":")
        assert.truthy(declared_target, ("%s: there is no target %s"):format(place, target))
      end
    end)
    remove()
    assert.is_true(count > 5, "only " .. count)
  end)
end)

describe("the links", function()
  -- As GitHub makes it of a heading.
  local function anchor(heading)
    return (heading:lower():gsub("[^%w%s_-]", ""):gsub("%s", "-"))
  end

  local function anchors(path)
    local found = {}
    local text = ("\n" .. project.read(path)):gsub("\n```.-\n```", "")
    for heading in text:gmatch "\n#+ ([^\n]*)" do found[anchor(heading)] = true end
    return found
  end

  local function without_dots(path)
    local before
    repeat
      before = path
      path = path:gsub("[^/]+/%.%./", "", 1)
    until path == before
    return (path:gsub("^%./", ""))
  end

  it("lead to files and headings that are there", function()
    local count, wrong = 0, {}
    for _, path in ipairs(documents.paths()) do
      local text = ("\n" .. project.read(path)):gsub("\n```.-\n```", "")
      for link in text:gmatch "%]%(([^%s)]+)%)" do
        local target, fragment = link:match "^([^#]*)#?(.*)$"
        if not link:find "^%a+:" then
          count = count + 1
          local file = target == "" and path or without_dots((path:match "^.*/" or "") .. target)
          local _, status = project.run("test -e '" .. file .. "'")
          local leads = status == 0 and (fragment == "" or anchors(file)[fragment])
          if not leads then wrong[#wrong + 1] = path .. ": " .. link end
        end
      end
    end
    assert.equal("", table.concat(wrong, "\n"))
    assert.is_true(count > 40, "only " .. count)
  end)
end)
