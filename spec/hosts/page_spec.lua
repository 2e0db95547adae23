-- SPDX-License-Identifier: MIT
-- The live page of `serve`, in Chromium.
local await = require "spec.support.await"
local browser = require "spec.support.browser"
local cjson = require "cjson"
local host = require "spec.support.host"
local listener = require "spec.support.listener"
local project = require "spec.support.project"
local serving = require "spec.support.serving"
local socket = require "socket"

-- To the browser every Lua is the same: one is enough.
local has_browser = _VERSION == "Lua 5.4" and host.has_command "chromedriver"

local define = has_browser and describe or pending

define("the live page", function()
  local folder, sim, command, client, feeds, serves
  local page, forward, forward_pid, forward_port

  setup(function()
    local output, status = project.run "scripts/uplot" -- the server reads it when it starts
    assert(status == 0, output)
    serves = serving.start()
    folder, sim, command, client, feeds = serves.folder, serves.sim, serves.command, serves.client, serves.feeds
    if not io.open "spec/hosts/node_modules/axe-core/axe.min.js" then
      output, status = project.run "cd spec/hosts && timeout 200 npm ci --no-audit --no-fund"
      assert(status == 0, output)
    end
    forward = io.popen(("echo $$; exec node spec/hosts/forward.mjs %d"):format(command:port()))
    forward_pid, forward_port = forward:read("*l", "*l")
    page = browser.start(folder)
    page:open(("http://127.0.0.1:%s/"):format(forward_port))
  end)
  teardown(function()
    page:stop()
    os.execute("kill " .. forward_pid)
    forward:close()
    serves:stop()
  end)

  local function text_of(selector)
    local script = "const it = document.querySelector(%s); return it && it.textContent"
    return page:run(script:format(cjson.encode(selector)))
  end

  local function becomes(selector, words)
    return await(words .. " in " .. selector, function()
      local text = text_of(selector)
      return type(text) == "string" and text:find(words, 1, true)
    end)
  end

  local function card(feed) return ('article[data-feed="%s"]'):format(feed.id or feed) end

  it("shows the prices that the service has", function()
    becomes("#connection", "connected to the service")
    for _, feed in ipairs { feeds[1], feeds[2] } do
      local shown = await("a price of " .. feed.name, function()
        local found = page:run(("const it = document.querySelector('%s'); return it && it.dataset.observed && ["
          .. "it.dataset.observed, it.querySelector('.price').dataset.price, it.querySelector('h2').textContent]"
          ):format(card(feed)))
        return type(found) == "table" and found
      end)
      local report = assert(client:get_report(feed.id, tonumber(shown[1]) / 1000))
      assert.are.equal(("%.10g"):format(report.price), ("%.10g"):format(tonumber(shown[2])))
      assert.are.equal(feed.name .. "v" .. report.version, shown[3])
      assert.are.equal("verified", text_of(card(feed) .. " .verified"))
      await("a chart", function()
        return page:run(("return document.querySelector('%s canvas') !== null"):format(card(feed)))
      end)
    end
  end)

  it("says in words what is wrong with a name and a feed without permission", function()
    becomes(card "NOPE/USD" .. " .problem", "no feed is named 'NOPE/USD'")
    becomes(card(feeds[3]) .. " .problem", "permi")
  end)

  it("has nothing on the console, and no fault of accessibility", function()
    assert.are.same({}, page:console())
    for _, scheme in ipairs { "light", "dark" } do
      for _, width in ipairs { 390, 1200 } do
        page:look(width, 850, scheme)
        page:run(project.read "spec/hosts/node_modules/axe-core/axe.min.js" .. "\n")
        local faults = page:run("return axe.run().then(found => JSON.stringify(found.violations.map(v => "
          .. "[v.impact, v.id, v.nodes.map(n => n.html)])))")
        assert.are.equal("[]", faults)
        assert.is_true(page:run "return document.documentElement.scrollWidth <= innerWidth", "wider than the window")
      end
    end
  end)

  it("tells of a broken connection, and misses nothing by it, without a reload", function()
    page:run(("window.seen = []; window.same = true; new MutationObserver((list) => list.forEach((m) => seen.push("
      .. "m.oldValue))).observe(document.querySelector('%s'), { attributes: true, attributeFilter: ['data-observed'], "
      .. "attributeOldValue: true })"):format(card(feeds[1])))
    os.execute("kill -HUP " .. forward_pid)
    becomes("#connection", "does not answer; trying again")
    local _, before = command:get "/healthz"
    assert.are.equal(200, before)
    socket.select(nil, nil, 3) -- that long the service's reports pass the page by
    os.execute("kill -USR2 " .. forward_pid)
    becomes("#connection", "connected to the service")
    local seen = await("reports", function()
      local list = page:run "return window.seen"
      return #list >= 8 and list
    end)
    for i = 2, #seen do assert.are.equal(1000, tonumber(seen[i]) - tonumber(seen[i - 1])) end
    assert.is_true(page:run "return window.same")
  end)

  it("tells of a service that does not answer, and when it does again", function()
    sim:control("POST", "/control/down?what=all")
    becomes("#connection", "not connected to the service")
    becomes("#reasons", "no connection to the service is up: ")
    sim:control("POST", "/control/up?what=all")
    await("the service", function() return text_of "#connection" == "connected to the service" end)
    assert.is_true(page:run "return window.same")
  end)

  it("is served where the service is dead from the start", function()
    sim:control("POST", "/control/down?what=all")
    local arguments = ("serve %s --listen 127.0.0.1:0"):format(feeds[1].name)
    local other = listener.start(sim:exports(), arguments, folder .. "/other")
    finally(function() other:stop() end)
    page:open("http://" .. other.address .. "/")
    becomes("#connection", "not connected to the service")
    becomes("#reasons", "GET /api/v1/feeds")
    sim:control("POST", "/control/up?what=all")
    becomes(card(feeds[1]) .. " h2", feeds[1].name)
    await("the service", function() return text_of "#connection" == "connected to the service" end)
  end)
end)
