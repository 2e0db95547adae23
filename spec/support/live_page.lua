-- SPDX-License-Identifier: MIT
-- The live page in Chromium, whoever serves it, over a forwarder that can be cut.

local assert = require "luassert"
local await = require "spec.support.await"
local browser = require "spec.support.browser"
local cjson = require "cjson"
local project = require "spec.support.project"
local socket = require "socket"

local live_page = {}
local Page = {}
Page.__index = Page

--- What the page needs before its server starts: uPlot; and the checker of accessibility.
function live_page.prepare()
  local output, status = project.run "scripts/uplot"
  assert.are.equal(0, status, output)
  if io.open "spec/hosts/node_modules/axe-core/axe.min.js" then return end
  output, status = project.run "cd spec/hosts && timeout 200 npm ci --no-audit --no-fund"
  assert.are.equal(0, status, output)
end

--- Opens what is served on that port of the loopback interface; `folder` is for files.
function live_page.open(folder, port)
  local self = setmetatable({}, Page)
  self.forward = io.popen(("echo $$; exec node spec/hosts/forward.mjs %d"):format(port))
  self.forward_pid, self.port = self.forward:read("*l", "*l")
  self.browser = browser.start(folder)
  self:go(("http://127.0.0.1:%s/"):format(self.port))
  return self
end

function Page:go(url) self.browser:open(url) end

function Page:run(script) return self.browser:run(script) end

function Page:text_of(selector)
  local script = "const it = document.querySelector(%s); return it && it.textContent"
  return self:run(script:format(cjson.encode(selector)))
end

function Page:becomes(selector, words)
  return await(words .. " in " .. selector, function()
    local text = self:text_of(selector)
    return type(text) == "string" and text:find(words, 1, true)
  end)
end

--- Nothing is wrong any more but that these feeds, by name, are not streamed.
function Page:becomes_well(absent)
  local connection = absent and "connected, with something wrong" or "connected to the service"
  local reasons = absent and "refused or unknown, so not streamed: " .. table.concat(absent, ", ") or ""
  await("the service", function()
    return self:text_of "#connection" == connection and self:text_of "#reasons" == reasons
  end)
end

--- The selector of a feed's card.
function live_page.card(feed) return ('article[data-feed="%s"]'):format(feed.id or feed) end

--- The page shows the price that the service has of that time, by the feed's name, with a chart.
function Page:assert_price(client, feed)
  local card = live_page.card(feed)
  local shown = await("a price of " .. feed.name, function()
    local found = self:run(("const it = document.querySelector('%s'); return it && it.dataset.observed && ["
      .. "it.dataset.observed, it.querySelector('.price').dataset.price, it.querySelector('h2').textContent]"
      ):format(card))
    return type(found) == "table" and found
  end)
  local report = assert(client:get_report(feed.id, tonumber(shown[1]) / 1000))
  assert.are.equal(report:exact "price", shown[2])
  assert.are.equal(feed.name .. "v" .. report.version, shown[3])
  await("a chart", function()
    return self:run(("return document.querySelector('%s canvas') !== null"):format(card))
  end)
end

--- The console is empty, and axe finds nothing, in light and dark, on a phone and a desktop.
function Page:assert_sound()
  assert.are.same({}, self.browser:console())
  for _, scheme in ipairs { "light", "dark" } do
    for _, width in ipairs { 390, 1200 } do
      self.browser:look(width, 850, scheme)
      self:run(project.read "spec/hosts/node_modules/axe-core/axe.min.js" .. "\n")
      local faults = self:run("return axe.run().then(found => JSON.stringify(found.violations.map(v => "
        .. "[v.impact, v.id, v.nodes.map(n => n.html)])))")
      assert.are.equal("[]", faults)
      assert.is_true(self:run "return document.documentElement.scrollWidth <= innerWidth", "wider than the window")
    end
  end
end

--- A connection that breaks for some of the feed's reports is told, and mended without a reload or a report too few.
--- absent: as of becomes_well.
function Page:assert_mends(feed, absent)
  self:run(("window.seen = []; window.same = true; new MutationObserver((list) => list.forEach((m) => seen.push("
    .. "m.oldValue))).observe(document.querySelector('%s'), { attributes: true, attributeFilter: ['data-observed'], "
    .. "attributeOldValue: true })"):format(live_page.card(feed)))
  os.execute("kill -HUP " .. self.forward_pid)
  self:becomes("#connection", "does not answer; trying again")
  socket.select(nil, nil, 3) -- that long the service's reports pass the page by
  os.execute("kill -USR2 " .. self.forward_pid)
  self:becomes_well(absent)
  local seen = await("reports", function()
    local list = self:run "return window.seen"
    return #list >= 8 and list
  end)
  for i = 2, #seen do assert.are.equal(1000, tonumber(seen[i]) - tonumber(seen[i - 1])) end
  assert.is_true(self:run "return window.same")
end

--- A service that does not answer is told, and that it does again, without a reload. After assert_mends.
function Page:assert_tells_of_outage(sim, absent)
  sim:control("POST", "/control/down?what=all")
  self:becomes("#connection", "not connected to the service")
  self:becomes("#reasons", "no connection to the service is up: ")
  sim:control("POST", "/control/up?what=all")
  self:becomes_well(absent)
  assert.is_true(self:run "return window.same")
end

function Page:stop()
  self.browser:stop()
  os.execute("kill " .. self.forward_pid)
  self.forward:close()
end

return live_page
