-- SPDX-License-Identifier: MIT
-- Files of lines at their bounds: what waits for how long, what fails and how it is told, and what is left open.

local core = require "chainlink.core"
local failure = require "spec.support.failure"
local lines = require "chainlink.cli.files.lines"
local own_folder = require "spec.support.own_folder"
local project = require "spec.support.project"
local stopped_clock = require "spec.support.stopped_clock"

describe("a file of lines", function()
  local folder, path
  own_folder(function(...) folder, path = ... end)

  local function open(resume)
    return lines.open(path, {
      head = "head", resume = resume,
      accepts = function(line)
        if line == "head" then return true end
        return nil, "has another head"
      end,
      second_of = function(line) return tonumber(line:match "^(%d+) ") end,
    })
  end

  -- Behind the path.
  local function refusal(run, ...)
    local err = failure.raised("FileError", {}, run, ...)
    assert.equal(path .. " ", err.message:sub(1, #path + 1))
    return err.message:sub(#path + 2)
  end

  it("is written a second at a time, and waits until then", function()
    local clock = stopped_clock.at(1000)
    finally(clock.restore)
    local file = open(false)
    for _ = 1, 20 do file:write "1 a" end
    assert.equal("", project.read(path))
    file:settle()
    local expected = "head\n" .. ("1 a\n"):rep(20)
    assert.equal(expected, project.read(path))
    for _, at in ipairs { 1000, 1000.5, 1000.99 } do
      clock.now = at
      file:write "2 a"
      file:settle()
      assert.equal(expected, project.read(path))
    end
    clock.now = 1001
    file:settle()
    expected = expected .. ("2 a\n"):rep(3)
    assert.equal(expected, project.read(path))
    file:write "3 a"
    file:settle()
    assert.equal(expected, project.read(path))
    file:close()
    assert.equal(expected .. "3 a\n", project.read(path))
  end)

  it("of one byte is there already, and is another's", function()
    project.write(path, "x")
    assert.equal("is there already: --resume goes on with it", refusal(open, false))
    project.write(path, "\n")
    assert.equal("has another head", refusal(open, true))
    assert.equal("\n", project.read(path))
  end)

  it("that is refused may be opened again at once", function()
    project.write(path, "other\n1 a\n")
    for _ = 1, 2 do assert.equal("has another head", refusal(open, true)) end
    project.write(path, "head\nrubbish\n")
    for _ = 1, 2 do assert.equal("has a last line that cannot be read", refusal(open, true)) end
    project.write(path, "head\n")
    local file = open(true)
    assert.equal("is being written by another process", refusal(open, true))
    file:close()
  end)

  it("tells that it cannot be opened, or is no file", function()
    path = folder .. "/nowhere/file"
    assert.equal(("cannot be opened: %s: No such file or directory"):format(path), refusal(open, false))
    path = folder .. "/pipe"
    project.run("mkfifo " .. path)
    assert.equal("cannot be written: Illegal seek", refusal(open, false))
  end)

  it("tells that the disk is full, whenever that is", function()
    path = "/dev/full"
    local full = "cannot be written: No space left on device"
    local file = open(false)
    assert.equal(full, refusal(file.write, file, ("x"):rep(200000)))
    pcall(file.close, file)
    file = open(false)
    assert.equal(full, refusal(file.settle, file))
    pcall(file.close, file)
    file = open(false)
    assert.equal(full, refusal(file.close, file))
  end)

  it("tells that it cannot be cut", function()
    local file = open(false)
    file:write "1 a"
    file:close()
    local cut = core.file_cut
    finally(function() core.file_cut = cut end)
    core.file_cut = function() return nil, "it is held" end
    file = open(true)
    assert.equal("cannot be written: it is held", refusal(file.write, file, "2 a"))
    file:close()
    assert.equal("head\n1 a\n", project.read(path))
  end)

  it("may have its last second in many blocks", function()
    local function write(...)
      local file = open(true)
      for _, line in ipairs { ... } do file:write(line) end
      file:close()
      return file.last
    end
    for _, size in ipairs { 65530, 65531, 65532, 65533, 65534, 65535, 65536, 131072, 200000 } do
      os.remove(path)
      local long = ("x"):rep(size)
      assert.is_nil(write("1 a", "1 b", "2 " .. long, "2 c", "2 " .. long))
      assert.equal(2, write "2 z")
      assert.equal("head\n1 a\n1 b\n2 z\n", project.read(path))
      project.write(path, "head\n1 a\n2 " .. long) -- cut in its last line
      assert.equal(1, write "1 z")
      assert.equal("head\n1 z\n", project.read(path))
    end
  end)
end)
