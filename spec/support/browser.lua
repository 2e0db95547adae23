-- SPDX-License-Identifier: MIT
-- Headless Chromium by chromedriver (the protocol of WebDriver, over curl).

local await = require "spec.support.await"
local cjson = require "cjson"
local project = require "spec.support.project"

local browser = {}
local Browser = {}
Browser.__index = Browser

function Browser:ask(method, path, body)
  project.write(self.folder .. "/body", body or "{}")
  local data = method == "POST" and "--data-binary @" .. self.folder .. "/body" or ""
  local command = "curl -sS --max-time 90 -X %s -H 'Content-Type: application/json' %s http://127.0.0.1:%d%s"
  local text = project.run(command:format(method, data, self.port, path))
  local good, answer = pcall(cjson.decode, text)
  local value = good and answer.value
  if not good or type(value) == "table" and value.error then error(text, 2) end
  return value
end

local OPTIONS = { capabilities = { alwaysMatch = {
  ["goog:loggingPrefs"] = { browser = "ALL" },
  ["goog:chromeOptions"] = { args = { "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage" } },
} } }

--- A browser with an empty profile; `folder` is for its files.
function browser.start(folder)
  local self = setmetatable({ folder = folder }, Browser)
  local log = folder .. "/chromedriver"
  project.write(log, "")
  self.pipe = io.popen(("echo $$; HOME=%s exec timeout 250 chromedriver --port=0 >%s 2>&1"):format(folder, log))
  self.pid = self.pipe:read "*l"
  self.port = await("chromedriver", function() return project.read(log):match "on port (%d+)%." end)
  self.path = "/session/" .. self:ask("POST", "/session", cjson.encode(OPTIONS)).sessionId
  return self
end

function Browser:open(url)
  self:ask("POST", self.path .. "/url", cjson.encode { url = url })
end

--- Runs JavaScript (the body of a function) in the page: what it returns.
function Browser:run(script)
  return self:ask("POST", self.path .. "/execute/sync", ('{"script":%s,"args":[]}'):format(cjson.encode(script)))
end

--- A command of Chromium's own protocol; parameters are JSON.
function Browser:tell(command, parameters)
  self:ask("POST", self.path .. "/goog/cdp/execute", ('{"cmd":"%s","params":%s}'):format(command, parameters))
end

--- So wide (CSS pixels), in a colour scheme, "light" or "dark".
function Browser:look(width, height, scheme)
  self:tell("Emulation.setDeviceMetricsOverride",
    ('{"width":%d,"height":%d,"deviceScaleFactor":1,"mobile":%s}'):format(width, height, tostring(width < 600)))
  self:tell("Emulation.setEmulatedMedia",
    ('{"features":[{"name":"prefers-color-scheme","value":"%s"}]}'):format(scheme))
end

--- Writes a screenshot.
function Browser:picture(path)
  project.write(self.folder .. "/picture", self:ask("GET", self.path .. "/screenshot"))
  assert(os.execute(("base64 -d %s/picture >%s"):format(self.folder, path)))
end

--- What the console has had since it was asked last: an array of texts.
function Browser:console()
  local lines = {}
  for i, entry in ipairs(self:ask("POST", self.path .. "/se/log", '{"type":"browser"}')) do
    lines[i] = entry.level .. " " .. entry.message
  end
  return lines
end

function Browser:stop()
  if not self.pipe then return end
  pcall(self.ask, self, "DELETE", self.path)
  os.execute("kill " .. self.pid)
  self.pipe:close()
  self.pipe = nil
end

return browser
