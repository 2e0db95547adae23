-- SPDX-License-Identifier: MIT
-- The file that --output names, step by step: what is on the disk after each, and what stays open.

local core = require "chainlink.core"
local open_files = require "spec.support.open_files"
local outfile = require "chainlink.cli.outfile"
local project = require "spec.support.project"

describe("a file of output", function()
  local folder, remove, path, replaced
  before_each(function()
    folder, remove = project.folder()
    path, replaced = folder .. "/out", {}
  end)
  after_each(function()
    for name, value in pairs(replaced) do core[name] = value end
    remove()
  end)

  local function replace(name, run) replaced[name], core[name] = core[name], run end

  local function files() return (project.run("ls " .. folder)) end

  it("is there in one step, when all is written", function()
    local file = outfile.open(path)
    file.handle:write "words"
    assert.equal("out.part\n", files())
    assert.same({ true }, { file:finish() })
    assert.equal("out\n", files())
    assert.equal("words", project.read(path))
  end)

  it("is left as it was where it is given up", function()
    project.write(path, "old")
    local file = outfile.open(path)
    file.handle:write "words"
    assert.equal(("%s.part has what came, and is not whole; %s is as it was"):format(path, path), file:abandon())
    assert.equal("old", project.read(path))
    assert.equal("words", project.read(path .. ".part"))
    file = outfile.open(path) -- it begins anew
    assert.is_nil(file:abandon())
    assert.equal("out\n", files())
  end)

  it("is written by one at a time, and can be again after both ends", function()
    local file = outfile.open(path)
    local ok, err = pcall(outfile.open, path)
    assert.is_false(ok)
    assert.matches("^cannot write " .. path:gsub("%p", "%%%0") .. "%.part: .", err)
    file:finish()
    file = outfile.open(path)
    file:abandon()
    outfile.open(path):finish()
  end)

  it("leaves nothing open", function()
    assert.equal(0, open_files.left_by(function()
      for _ = 1, 3 do
        outfile.open(path):finish()
        outfile.open(path):abandon()
        local file = outfile.open(path)
        file.handle:write "x"
        file:abandon()
      end
    end))
  end)

  it("tells what the disk says", function()
    local file = outfile.open(path)
    replace("sync_file", function() return nil, "no disk" end)
    local done, reason = file:finish()
    assert.is_nil(done)
    assert.equal(("cannot write %s: no disk; %s.part is not whole"):format(path, path), reason)
    assert.equal("out.part\n", files())
  end)

  it("tells that it cannot take its place", function()
    local file = outfile.open(path)
    os.execute("mkdir " .. path .. " && touch " .. path .. "/x")
    local done, reason = file:finish()
    assert.is_nil(done)
    assert.matches("^cannot write .*: .*; .*%.part is not whole$", reason)
  end)

  it("is written as it is where it is no regular file", function()
    local pipe = folder .. "/pipe" -- its own: what is broken here may put a file in its place
    project.run("mkfifo " .. pipe)
    local reader = assert(io.popen("cat " .. pipe .. "; echo; cat " .. pipe))
    local file = outfile.open(pipe)
    file.handle:write "words"
    assert.same({ true }, { file:finish() })
    assert.equal("words", reader:read "*l")
    file = outfile.open(pipe)
    assert.equal(pipe .. " is not whole", file:abandon())
    reader:close()
    assert.equal("pipe\n", files())
    local ok, err = pcall(outfile.open, folder)
    assert.is_false(ok)
    assert.equal(("cannot write %s: Is a directory"):format(folder), err)
  end)

  it("tells what is wrong with what is no regular file, too", function()
    local handle = { close = function() return nil, "no room" end }
    local done, reason = setmetatable({ handle = handle, path = "x" }, getmetatable(outfile.open(path))):finish()
    assert.is_nil(done)
    assert.equal("cannot write x: no room", reason)
  end)
end)
