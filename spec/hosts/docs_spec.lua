-- SPDX-License-Identifier: MIT
-- Every program and configuration of docs/hosts.md runs, as a reader would paste it, against the simulator.
local await = require "spec.support.await"
local host = require "spec.support.host"
local nginx = require "spec.support.nginx"
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

  -- Without a window: what is drawn is printed, and three prices are enough.
  local love_conf = [[
    function love.conf(t)
      for name in ("audio graphics image joystick keyboard mouse physics sound touch video window"):gmatch "%a+" do
        t.modules[name] = false
      end
    end]]
  local love_end = [[
    local shown, update = 0, love.update
    love.graphics = { print = function(text)
      if not tonumber(text) then return end
      io.write(text, "\n")
      shown = shown + 1
    end, isActive = function() return false end }
    function love.update(dt)
      update(dt)
      love.draw()
      if shown == 3 then love.event.quit() end
    end]]

  -- -> the command that runs it
  local function write(block)
    if not block:find "function love%." then
      project.write(folder .. "/block.lua", block .. "\n")
      return project.lua .. " " .. folder .. "/block.lua"
    end
    project.write(folder .. "/main.lua", block .. "\n" .. love_end)
    project.write(folder .. "/conf.lua", love_conf)
    return "love " .. folder
  end

  -- The specs find Copas where a reader's program does not.
  local function finds(library)
    return host.has(library) and select(2, project.run(("%s -e 'require \"%s\"'"):format(project.lua, library))) == 0
  end

  -- LÖVE has LuaJIT in it, so the module that is built for that.
  local function is_there(block, library)
    if not block:find "function love%." then return library == "chainlink" or finds(library) end
    return rawget(_G, "jit") and host.has_command "love"
  end

  local count = 0
  for block in project.read "docs/hosts.md":gmatch "\n```lua\n(.-)\n```" do
    count = count + 1
    local library = block:match 'require "([%l_]+)"'
    local define = is_there(block, library) and it or pending
    define(("program %d, with %s"):format(count, block:find "function love%." and "love" or library), function()
      local output, status = project.run(("%s timeout 60 %s 2>&1"):format(sim:exports(), write(block)))
      assert.are.equal(0, status, output)
      local prices = 0
      for line in output:gmatch "[^\n]+" do
        assert.is_number(tonumber(line), output)
        prices = prices + 1
      end
      assert.is_true(prices >= 3)
    end)
  end

  it("has one for each host", function() assert.are.equal(9, count) end)

  local has_nginx = rawget(_G, "jit") and (nginx.is_there() or host.is_wanted "nginx")
  local configurations = 0
  for block in project.read "docs/hosts.md":gmatch "\n```nginx\n(.-)\n```" do
    configurations = configurations + 1
    local define = has_nginx and it or pending
    define(("configuration %d of nginx"):format(configurations), function()
      local http, inside = block:match "\nhttp {\n(.*)\n  server {\n(.*)\n  }\n}$"
      local server = nginx.start { workers = 2, environment = sim.env, http = assert(http), server = inside }
      finally(function() server:stop() end)
      local feed = project.read "docs/hosts.md":match "0x%x+"
      if block:find "/healthz" then
        await("health", function() return (server:get "/healthz"):find('"up"', 1, true) end)
        assert.matches("# EOF\n$", (server:get "/metrics"))
      end
      if block:find "/live/" then
        assert.matches("<title>Chainlink Data Streams", (server:get "/live/"))
        local client = server:open("/live/events", "")
        repeat local line = assert(client:receive "*l") until line == "event: report"
        return client:close()
      end
      assert.is_number(await("a price", function() return tonumber((server:get("/price?feed=" .. feed))) end))
    end)
  end

  it("has three of nginx", function() assert.are.equal(3, configurations) end)
end)
