-- SPDX-License-Identifier: MIT
-- A TLS server of OpenSSL's own, on a free port of the loopback interface, with a good certificate for localhost: for
-- what the simulator's TLS does not do. It answers HTTP/1.1 requests with a page.

local project = require "spec.support.project"

local tls_server = {}
local Server = {}
Server.__index = Server

-- Longer than any test: for a server that nobody stopped.
local COMMAND = "echo $$; "
  .. "exec timeout 300 openssl s_server -accept 127.0.0.1:0 -www -cert %s -key %s %s </dev/null 2>&1"

--- A certificate for localhost and 127.0.0.1 that is its own authority: the files `ca` and `key` of the folder.
function tls_server.make_certificate(folder)
  local output, status = project.run(("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes "
    .. "-days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout %s/key -out %s/ca")
    :format(folder, folder))
  assert(status == 0, output)
end

--- Starts `openssl s_server` with these options. nil and its output when it did not start.
function tls_server.start(options)
  local folder, remove = project.folder()
  tls_server.make_certificate(folder)
  local pipe = assert(io.popen(COMMAND:format(folder .. "/ca", folder .. "/key", options), "r"))
  local self = { pipe = pipe, pid = pipe:read "*l", remove = remove, ca_file = folder .. "/ca" }
  local lines = {}
  for line in pipe:lines() do
    self.port = tonumber(line:match "^ACCEPT .*:(%d+)$")
    if self.port then return setmetatable(self, Server) end
    lines[#lines + 1] = line
  end
  pipe:close()
  remove()
  return nil, table.concat(lines, "\n")
end

--- A client of it, with the caller's options on top.
function Server:client(more)
  local options = {
    api_key = "key", api_secret = "secret", tls = { ca_file = self.ca_file },
    rest_url = "https://localhost:" .. self.port, ws_url = "wss://localhost:" .. self.port,
  }
  for name, value in pairs(more or {}) do options[name] = value end
  return require("chainlink").client(options)
end

--- Ends it and waits for its end.
function Server:stop()
  os.execute("kill " .. self.pid)
  self.pipe:close()
  self.remove()
end

return tls_server
