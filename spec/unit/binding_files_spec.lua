-- SPDX-License-Identifier: MIT
-- Files below the Lua layer: where a path leads, who may write a file, how it is cut, and what only its owner may read.

local core = require "chainlink.core"
local own_folder = require "spec.support.own_folder"
local project = require "spec.support.project"
local raises = require("spec.support.refusal").raises

describe("the binding's files:", function()
  local folder, path
  own_folder(function(...) folder, path = ... end)

  local function run(command)
    local output, status = project.run(("cd '%s' && %s"):format(folder, command))
    assert.equal(0, status, output)
    return output
  end

  local function refused(reason, ...)
    assert.equal(2, select("#", ...))
    local nothing, why = ...
    assert.is_nil(nothing)
    assert.equal(reason, why)
  end

  describe("a path", function()
    it("leads to a regular file, whose own name is told", function()
      project.write(path, "")
      run "ln -s file link"
      local real = run("realpath file"):match "^[^\n]+"
      assert.same({ real, true }, { core.real_path(path) })
      assert.same({ real, true }, { core.real_path(folder .. "/link") })
    end)

    it("leads to something else, which has the name it was asked by", function()
      run "mkfifo pipe && ln -s pipe link"
      assert.same({ folder .. "/link", false }, { core.real_path(folder .. "/link") })
      assert.same({ folder, false }, { core.real_path(folder) })
      assert.same({ "/dev/null", false }, { core.real_path "/dev/null" })
    end)

    it("leads nowhere", function()
      run "ln -s gone link"
      assert.equal(0, select("#", core.real_path(path)))
      assert.equal(0, select("#", core.real_path(folder .. "/link")))
      raises("string expected", core.real_path, {})
    end)
  end)

  describe("a file that is claimed", function()
    local other = "there is something else of that name"

    it("is made, empty and locked, with the permissions of the one it is to become", function()
      run "echo old >like && chmod 640 like && echo more >file && chmod 606 file"
      local claim = assert(core.claim_file(path, folder .. "/like"))
      assert.is_number(claim)
      assert.equal("", project.read(path))
      assert.equal("640\n", run "stat -c %a file")
      assert.equal("1\n", run "flock -n file true; echo $?")
      assert.same({ true }, { core.sync_file(claim) })
      assert.equal(0, select("#", core.release_file(claim)))
      assert.equal("0\n", run "flock -n file true; echo $?")
      refused("Bad file descriptor", core.sync_file(claim))
    end)

    it("has its own permissions where there is none that it is to become", function()
      for _, like in ipairs { "/none", "" } do -- nothing, and a folder
        run "rm -f file && touch file && chmod 604 file"
        local claim = assert(core.claim_file(path, folder .. like))
        assert.equal("604\n", run "stat -c %a file")
        core.release_file(claim)
      end
      run "rm file"
      core.release_file(assert(core.claim_file(path, folder .. "/none")))
      local mask = tonumber(run("umask"):match "%d+", 8)
      assert.equal(("%o\n"):format(438 - mask % 64), run "stat -c %a file") -- 0666, less what the user's umask takes
    end)

    it("is no link, pipe, folder, or file that has another name too", function()
      run "echo text >real && ln -s real link && mkfifo pipe && ln real again"
      for _, name in ipairs { "link", "pipe", "real", "again" } do
        refused(other, core.claim_file(folder .. "/" .. name, path))
      end
      refused("Is a directory", core.claim_file(folder, path))
      refused("No such file or directory", core.claim_file(folder .. "/no/file", path))
      assert.equal("text\n", project.read(folder .. "/real"))
    end)

    it("is one command's alone", function()
      project.write(path, "whole")
      local claim = assert(core.claim_file(path, path))
      refused("another command writes it", core.claim_file(path, path))
      project.write(path, "what the first one wrote")
      refused("another command writes it", core.claim_file(path, path))
      assert.equal("what the first one wrote", project.read(path))
      core.release_file(claim)
      core.release_file(assert(core.claim_file(path, path)))
    end)

    it("is open in no program that is started", function()
      local claim = assert(core.claim_file(path, path))
      assert.equal("", run "ls -l /proc/self/fd | grep '/file$' || true")
      core.release_file(claim)
    end)
  end)

  describe("a file that is appended to", function()
    it("is locked until it is closed", function()
      local file = assert(io.open(path, "a+b"))
      assert.same({ true }, { core.file_lock(file) })
      assert.equal("1\n", run "flock -n file true; echo $?")
      local second = assert(io.open(path, "a+b"))
      assert.same({ false }, { core.file_lock(second) })
      file:close()
      assert.same({ true }, { core.file_lock(second) })
      second:close()
      raises("bad argument #1", core.file_lock, path)
    end)

    it("is cut, with what waits to be written", function()
      local file = assert(io.open(path, "a+b"))
      file:write "0123456789"
      assert.same({ true }, { core.file_cut(file, 4) })
      assert.equal("0123", project.read(path))
      file:write "x"
      assert.same({ true }, { core.file_cut(file, 5) })
      assert.equal("0123x", project.read(path))
      assert.same({ true }, { core.file_cut(file, 0) })
      assert.equal("", project.read(path))
      file:close()
      local reader = assert(io.open(path, "rb"))
      refused("Invalid argument", core.file_cut(reader, 0))
      reader:close()
      raises("number expected", core.file_cut, io.stdout, "x")
    end)

    it("is not cut where it cannot be written", function()
      local full = assert(io.open("/dev/full", "wb"))
      full:write "text"
      refused("No space left on device", core.file_cut(full, 0))
      full:close()
    end)
  end)

  describe("a private file", function()
    it("is written and read whole, with any byte", function()
      local all = {}
      for i = 0, 255 do all[#all + 1] = string.char(i) end
      local text = table.concat(all)
      assert.same({ true }, { core.write_private(path, text) })
      assert.same({ text }, { core.read_private(path) })
      assert.equal("600\n", run "stat -c %a file")
      assert.same({ true }, { core.write_private(path, "") })
      assert.same({ "" }, { core.read_private(path) })
    end)

    it("may have 64 KiB", function()
      local most = ("x"):rep(65536)
      assert.is_true(core.write_private(path, most))
      assert.equal(most, (core.read_private(path)))
      assert.is_true(core.write_private(path, most .. "y"))
      local nothing, err, is_missing = core.read_private(path)
      assert.is_nil(nothing)
      assert.is_string(err.kind)
      assert.is_false(is_missing)
    end)

    it("may be missing, or not be read by others", function()
      local nothing, err, is_missing = core.read_private(path)
      assert.is_nil(nothing)
      assert.is_string(err.message)
      assert.is_true(is_missing)
      run "echo x >file && chmod 644 file"
      nothing, err, is_missing = core.read_private(path)
      assert.is_nil(nothing)
      assert.truthy(err.message:find(path, 1, true))
      assert.is_false(is_missing)
    end)

    it("is refused with a reason where it cannot be written", function()
      project.write(path, "")
      local nothing, err = core.write_private(path .. "/file", "text")
      assert.is_nil(nothing)
      assert.is_string(err.kind)
      raises("string expected", core.write_private, path)
      raises("string expected", core.read_private)
    end)
  end)

  describe("a descriptor", function()
    it("is read to its end", function()
      local claim = assert(core.claim_file(path, path))
      local nothing, err = core.read_fd(claim) -- which is open for writing alone
      assert.is_nil(nothing)
      assert.is_string(err.message)
      core.release_file(claim)
      nothing, err = core.read_fd(-1)
      assert.is_nil(nothing)
      assert.is_string(err.message)
      raises("number expected", core.read_fd, "x")
    end)
  end)
end)
