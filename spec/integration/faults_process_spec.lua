-- SPDX-License-Identifier: MIT
-- What the process runs out of, is sent, or starts: descriptors, SIGPIPE, children. Limits and dispositions are those
-- of a process of their own, whose script must get to its last line.

local faults = require "spec.support.faults"
local process = require "spec.support.process"
local project = require "spec.support.project"

-- What the scripts begin with. Descriptors are used up by files, so that any number can be left.
local PRELUDE = [[
local faults = require "spec.support.faults"
local socket = require "socket"
local hog = {}
local function use_up(left)
  local file = io.open "/dev/null"
  while file do
    hog[#hog + 1] = file
    file = io.open "/dev/null"
  end
  for _ = 1, left do table.remove(hog):close() end
end
local function give_back()
  local count = #hog
  while #hog > 0 do table.remove(hog):close() end
  return count
end
local function room()
  use_up(0)
  return give_back()
end
local function wait_for_room(count)
  local deadline = socket.gettime() + 60
  while room() < count do
    assert(socket.gettime() < deadline, "descriptors did not come back")
    socket.sleep(0.01)
    collectgarbage() -- a stream keeps its notification's descriptor until then
  end
end
local service = faults.service()
local sim, id = service.sim, service.ids[1]
]]

local function script_ends_well(text, before)
  local output, code = process.lua(PRELUDE .. text .. "\nservice:stop()\nio.write 'the end'", before)
  assert.are.equal("the end", output)
  assert.are.equal(0, code)
end

describe("without descriptors", function()
  it("a client's calls and streams fail in words, end at once, and work when there is room again", function()
    script_ends_well([[
      local function check(result, err)
        if result then return end
        assert(err.kind == "MemoryError" or err.kind == "NetworkError", tostring(err))
        assert(err.retryable, tostring(err))
        local words = err.message:lower()
        assert(words:find("too many open files", 1, true) or words:find("descriptors ran out", 1, true), err.message)
        return err
      end
      local options = { rate_limit = false, circuit_breaker = false, max_retries = 0 }
      local stream_options = { max_reconnects = 0 }
      local function all(client)
        assert(client:get_latest_report(id))
        assert(client:stream({ id }, stream_options):read(60))
      end
      local warm = sim:client(options)
      all(warm) -- what libraries keep for ever is opened at the first use
      warm:close()
      collectgarbage()
      local before, refused, served = room(), 0, 0
      local function try(left)
        use_up(left)
        local client = sim:client(options)
        local call_failed = check(client:get_latest_report(id))
        local stream, err = client:stream({ id }, stream_options)
        local stream_failed = check(stream, err)
        if stream then
          stream_failed = check(stream:read(60))
          stream:close()
        end
        refused = refused + (call_failed and stream_failed and 1 or 0)
        served = served + (not call_failed and not stream_failed and 1 or 0)
        give_back()
        all(client)
        client:close()
      end
      for left = 0, 12 do
        try(left)
        wait_for_room(before)
      end
      assert(refused > 1 and served > 1, refused .. " refused, " .. served .. " served")
    ]], "ulimit -n 64;")
  end)

  it("a process never is by opening and closing streams, however many, and whenever they are collected", function()
    script_ends_well([[
      collectgarbage "stop"
      for i = 1, 300 do
        local stream, err = service.client:stream({ id }, { max_reconnects = 0 })
        local opened, why
        if stream then opened, why = stream:connect(60) end
        assert(opened, ("stream %d: %s"):format(i, tostring(err or why)))
        stream:close()
      end
      service.client:close()
    ]], "ulimit -n 128;")
  end)

  it("a stream goes on trying without haste, and loses nothing", function()
    script_ends_well([[
      collectgarbage()
      local before = room()
      sim:fault "on=ws,action=drop,after=10,times=0" -- until the lost connection's descriptor is used up in time
      local stream, record = service:stream { reconnect_delay = 0.1, reconnect_max_delay = 0.3 }
      local reports = faults.read(stream, 1)
      local function refusals()
        use_up(0)
        local count = 0
        for _, event in ipairs(record.statuses) do
          if event.state == "reconnecting" and event.reason:find "Too many open files" then count = count + 1 end
        end
        return count
      end
      faults.read_until(stream, function() return refusals() >= 3 end, reports)
      local cpu, start = os.clock(), socket.gettime()
      faults.read_until(stream, function() return socket.gettime() > start + 1 end, reports)
      assert(os.clock() - cpu < 0.5, "busy while it waits")
      give_back()
      sim:clear_faults()
      faults.read(stream, 20, reports)
      service:check_complete(reports)
      stream:close()
      service.client:close()
      wait_for_room(before)
    ]], "ulimit -n 64;")
  end)
end)

describe("SIGPIPE", function()
  -- LuaSocket, which the specs use, has it ignored; so does a shell that was started so. The script has neither.
  it("does not end a script whose peers reset, nor does its disposition change", function()
    if not process.is_known() then return pending "there is no /proc here" end
    if select(2, project.run "env --default-signal=PIPE true") ~= 0 then
      return pending "env cannot reset signals here"
    end
    local output, code = process.lua([[
      local sim = require "spec.support.simulator".start { rate = 50, rate_limit = 0, feeds = 1 }
      local client = sim:client { reconnect_delay = 0.01, reconnect_max_delay = 0.05, retry_delay = 0.01,
        rate_limit = false, circuit_breaker = false }
      local id = assert(client:get_feeds())[1].id
      local function disposition() -- of signal 13: ignored, caught
        local file = assert(io.open("/proc/self/status", "r"))
        local text = file:read "*a"
        file:close()
        local function bit(digits) return math.floor(tonumber(digits, 16) / 2 ^ 12) % 2 end
        return bit(text:match "SigIgn:%s*%x*(%x%x%x%x)") + bit(text:match "SigCgt:%s*%x*(%x%x%x%x)")
      end
      assert(disposition() == 0)
      sim:fault "on=ws,action=reset,after=2,times=20"
      local stream = client:stream { id }
      repeat assert(stream:read(60)) until stream:stats().reconnect_count >= 20
      sim:fault "on=rest,action=reset,times=20"
      for _ = 1, 30 do client:get_latest_report(id) end
      for i = 1, 10 do -- connections that are not read when the peer resets them, and are written to for their end
        local own = sim:client {}
        local slow = own:stream({ id }, { queue_size = 1 })
        repeat until slow:stats().queue_length > 0
        assert(own:get_latest_report(id))
        local _, status = sim:control("POST", "/control/kill?how=" .. (i % 2 == 0 and "reset" or "drop"))
        assert(status == 200, status)
        slow:close()
        own:close()
      end
      assert(disposition() == 0)
      client:close()
      sim:stop()
      io.write "the end"
    ]], "env --default-signal=PIPE")
    assert.are.equal("the end", output)
    assert.are.equal(0, code)
  end)

  -- Valgrind keeps some signals for itself.
  it("is blocked in the engine's threads, as all signals are #native", function()
    if not process.is_known() then return pending "there is no /proc here" end
    local service = faults.service()
    finally(function() service:stop() end)
    local stream = service:stream()
    faults.read(stream, 1)
    local pipe = assert(io.popen("cat /proc/$PPID/task/*/status", "r"))
    local text, threads = pipe:read "*a", 0
    pipe:close()
    for leader, thread, blocked in text:gmatch "Tgid:%s*(%d+).-Pid:%s*(%d+).-SigBlk:%s*(%x+)" do
      if thread ~= leader then
        threads = threads + 1
        assert.are.equal("7ffbfeff", blocked:sub(-8)) -- all but KILL, STOP and the C library's own two
      end
    end
    assert.is_true(threads >= 2, threads .. " threads") -- REST's and the stream's
    stream:close()
  end)
end)

describe("a program that the script starts", function()
  local service

  setup(function() service = faults.service() end)
  teardown(function() service:stop() end)

  -- The inodes of all TCP sockets of this machine.
  local function tcp_sockets()
    local inodes = {}
    for _, name in ipairs { "tcp", "tcp6" } do
      local file = io.open("/proc/net/" .. name, "r")
      for line in file and file:lines() or function() end do
        local inode = line:match "^%s*%d+: %S+ %S+ %S+ %S+ %S+ %S+%s+%d+%s+%d+ (%d+)"
        if inode then inodes[inode] = true end
      end
      if file then file:close() end
    end
    return inodes
  end

  -- How many TCP sockets and eventfds the process `pid` has: a number of a shell, or "self" for a child of ours.
  local function holds(pid, tcp)
    local pipe = assert(io.popen(("ls -l /proc/%s/fd/"):format(pid), "r"))
    local connections, notifications = 0, 0
    for line in pipe:lines() do
      if tcp[line:match "socket:%[(%d+)%]"] then connections = connections + 1 end
      if line:find("eventfd", 1, true) then notifications = notifications + 1 end
    end
    pipe:close()
    return connections, notifications
  end

  it("has none of our connections, and disturbs none", function()
    if not process.is_known() then return pending "there is no /proc here" end
    local stream = service:stream()
    local reports = faults.read(stream, 3)
    assert(service.client:get_latest_report(service.ids[1]))
    local tcp = tcp_sockets()
    local ours, notifications = holds("$PPID", tcp)
    assert.is_true(ours >= 2 and notifications >= 1, ours .. " connections, " .. notifications .. " notifications")
    assert.are.same({ 0, 0 }, { holds("self", tcp) })
    for _ = 1, 10 do
      os.execute "true"
      faults.read(stream, 2, reports)
    end
    assert(service.client:get_latest_report(service.ids[1]))
    service:check_complete(reports)
    assert.are.equal(0, stream:stats().reconnect_count)
    stream:close()
  end)
end)
