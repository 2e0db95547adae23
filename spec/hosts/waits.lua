-- SPDX-License-Identifier: MIT
-- What every loop's module promises of wait(fd, seconds), with sockets of the spec's own.

local assert = require "luassert"
local busted = require "busted"
local core = require "chainlink.core"
local expect = require "spec.support.failure"
local project = require "spec.support.project"
local socket = require "socket"

local describe, it, before_each, after_each = busted.describe, busted.it, busted.before_each, busted.after_each

local LONG = 60 -- seconds; a bound for a hang

-- Its input is a pipe that it can write to by its name.
local OF_INPUT = [[
  local host = require("spec.support.host").%s()
  local loop = require "chainlink.loop.%s"
  local turns = 0
  host.spawn(function()
    loop.wait(0)
    io.write(turns)
  end)
  host.spawn(function()
    for _ = 1, 5 do
      host.sleep(0.002)
      turns = turns + 1
    end
    local pipe = assert(io.open("%s", "w"))
    pipe:write "x"
    pipe:close()
  end)
  host.run()
]]

--- `open` makes the host's loop (spec.support.host). options: has_no_limit, can it wait for no time; in_order, does it
--- wake those that wait for one descriptor in the order in which they came; refresh, sets a clock that stands still
--- while a callback runs.
return function(name, open, options)
  options = options or {}

  describe("waiting by " .. name, function()
    local loop = require("chainlink.loop." .. name)
    local host, reader, writer

    local function connect()
      local listener = assert(socket.bind("127.0.0.1", 0))
      local address, port = listener:getsockname()
      writer = assert(socket.connect(address, port))
      reader = assert(listener:accept())
      listener:close()
    end

    local function disconnect()
      reader:close()
      writer:close()
    end

    before_each(function()
      for _ = 1, 2 do collectgarbage() end -- what is collected later would free descriptors' numbers in a test's midst
      host = open()
      connect()
    end)
    after_each(disconnect)

    -- What the others do: have so many turns, and write. Answers a function that tells how many have passed.
    local function write_after(turns)
      local count = 0
      host.spawn(function()
        while count < turns do
          host.sleep(0.002)
          count = count + 1
        end
        assert(writer:send "x")
      end)
      return function() return count end
    end

    it("ends when there is something to read, and others run until then", function()
      local turns, woken_at
      host.spawn(function()
        loop.wait(reader:getfd())
        woken_at = turns()
      end)
      turns = write_after(5)
      host.run()
      assert.are.equal(5, woken_at)
    end)

    it("wakes all that wait for the same descriptor", function()
      local woken, woken_at, turns = {}, {}, nil
      for i = 1, 3 do
        host.spawn(function()
          loop.wait(reader:getfd())
          woken[#woken + 1], woken_at[#woken_at + 1] = i, turns()
          loop.wait(reader:getfd()) -- it can still be read
        end)
      end
      turns = write_after(5)
      host.run()
      assert.are.same({ 5, 5, 5 }, woken_at)
      if not options.in_order then table.sort(woken) end
      assert.are.same({ 1, 2, 3 }, woken)
    end)

    it("takes a new descriptor of a closed one's number for another", function()
      local turns, woken_at
      host.spawn(function()
        local fd = reader:getfd()
        assert(writer:send "x")
        loop.wait(fd)
        disconnect()
        connect()
        assert.are.equal(fd, reader:getfd())
        turns = write_after(5)
        loop.wait(fd)
        woken_at = turns()
      end)
      host.run()
      assert.are.equal(5, woken_at)
    end)

    it("knows the standard input", function()
      local folder, remove = project.folder()
      local pipe, program = folder .. "/pipe", folder .. "/program.lua"
      project.write(program, OF_INPUT:format(name, name, pipe))
      local output, status = project.run(("mkfifo %s && timeout %d %s %s <>%s"):format(pipe, LONG, project.lua,
        program, pipe))
      remove()
      assert.are.same({ "5", 0 }, { output, status })
    end)

    if options.has_no_limit then
      it("says that there are no time limits", function()
        local function wait(fd) return function() loop.wait(fd, 1) end end
        for _, fd in ipairs { -1, reader:getfd() } do
          expect.says(expect.raised("ConfigError", {}, wait(fd)), "needs Copas 3 or later, this is Copas")
        end
      end)
      return
    end

    it("ends when the time is over, not long before", function()
      local waited = {}
      for i, fd in ipairs { -1, reader:getfd() } do
        host.spawn(function()
          if options.refresh then options.refresh() end
          local before = core.monotonic()
          loop.wait(fd, 0.05)
          waited[i] = core.monotonic() - before
        end)
      end
      host.run()
      for i = 1, 2 do assert.is_true(waited[i] > 0.045) end
    end)

    it("goes on for one where others have stopped waiting", function()
      local turns, woken_at
      for i = 1, 3 do
        host.spawn(function()
          loop.wait(reader:getfd(), i == 2 and LONG or 0.01)
          if i == 2 then woken_at = turns() end
          if i == 3 then turns = write_after(5) end
        end)
      end
      host.run()
      assert.are.equal(5, woken_at)
    end)
  end)
end
