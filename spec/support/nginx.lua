-- SPDX-License-Identifier: MIT
-- A real nginx with its Lua module, on a free port of the loopback interface. The configuration finds the build under
-- test by the environment (make env). It ends with the spec, whatever becomes of that.

local await = require "spec.support.await"
local project = require "spec.support.project"
local socket = require "socket"

local nginx = {}
local Nginx = {}
Nginx.__index = Nginx

local PATIENCE = 60 -- seconds; a bound for a hang

local function command()
  local path, status = project.run "PATH=$PATH:/usr/sbin command -v nginx"
  return status == 0 and path:match "%S+" or nil
end

local function module_folder()
  local program = command()
  return program and project.run(program .. " -V"):match "%-%-modules%-path=(%S+)"
end

--- Is it there, with its Lua module?
function nginx.is_there()
  local folder = module_folder()
  return folder ~= nil and select(2, project.run("test -e " .. folder .. "/ngx_http_lua_module.so")) == 0
end

local function free_port()
  local listener = assert(socket.bind("127.0.0.1", 0))
  local _, port = listener:getsockname()
  listener:close()
  return tonumber(port)
end

local frame = [[
load_module %(modules)/ndk_http_module.so;
load_module %(modules)/ngx_http_lua_module.so;
worker_processes %(workers);
%(user)
pid nginx.pid;
error_log error.log info;
%(environment)
%(main)
events { worker_connections 512; }
http {
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  lua_package_path '%(path)';
  lua_package_cpath '%(cpath)';
  %(http)
  server {
    listen 127.0.0.1:%(port);
    %(server)
  }
}
]]

-- What `make test-nginx` sets: the folder of a sanitizer's build of the module, and the sanitizer's library, which must
-- be the process's first. The leak checker does not know LuaJIT's memory: to it all that only that refers to is lost.
local checked_build, checker = os.getenv "NGINX_BUILD", os.getenv "NGINX_CHECKER"
local passed_on = { "LD_PRELOAD", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS" } -- for the binary of an upgrade

local cpath = (checked_build and checked_build .. "/?.so;" or "") .. (os.getenv "LUA_CPATH" or "")

-- A whole configuration, as its user would run it; the environment has the module (LUA_PATH, LUA_CPATH).
local function of_file(options, port)
  local text = project.read(options.file)
  for name, value in pairs(options.replace or {}) do
    local from, to = text:find(name, 1, true)
    text = text:sub(1, from - 1) .. value .. text:sub(to + 1)
  end
  text = text:gsub("127%.0%.0%.1:8080", "127.0.0.1:" .. port):gsub("/usr/lib/nginx/modules", module_folder())
  text = text:gsub("env ([%u_]+);", function(name)
    return options.environment[name] and ("env '%s=%s';"):format(name, options.environment[name])
  end)
  local _, is_root = project.run 'test "$(id -u)" -eq 0'
  return (is_root == 0 and "user root;" or "") .. text
end

local function configuration(options, port)
  if options.file then return of_file(options, port) end
  local environment = {}
  for i, name in ipairs(checker and passed_on or {}) do environment[i] = ("env %s;"):format(name) end
  for name, value in pairs(options.environment or {}) do
    environment[#environment + 1] = ("env '%s=%s';"):format(name, value)
  end
  local _, is_root = project.run 'test "$(id -u)" -eq 0'
  local values = { modules = module_folder(), workers = options.workers or 1, port = port,
    user = is_root == 0 and "user root;" or "", environment = table.concat(environment, "\n"),
    main = options.main or "", http = options.http or "", server = options.server,
    path = os.getenv "LUA_PATH", cpath = cpath }
  return (frame:gsub("%%%((%l+)%)", values))
end

-- What is set before the command: libraries that come before its own.
local function preloaded(library)
  local list = (checker or "") .. (checker and library and ":" or "") .. (library or "")
  return ("%s LD_PRELOAD=%s LUA_CPATH='%s'"):format(checker and "ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0" or "",
    list, cpath)
end

-- Stops it when the pipe to it ends, which it does with this process.
local guard = "trap '' TERM; cat >/dev/null; cd '%s'; " ..
  "for pid in $(cat nginx.pid nginx.pid.oldbin 2>/dev/null); do kill $pid; done"

--- Starts it. options: workers, main, http, server (parts of the configuration), or file (a whole one), in which texts
--- are replaced (replace, by text); environment (by name); preload (a library's path).
function nginx.start(options)
  local folder, remove = project.folder()
  local port = free_port()
  local self = setmetatable({ folder = folder, remove = remove, port = port, command = command() }, Nginx)
  self:configure(options)
  local output, status = project.run(("%s %s -p %s -c nginx.conf >/dev/null 2>%s/start.log"):format(
    preloaded(options.preload), self.command, folder, folder))
  if status ~= 0 then
    output = output .. project.read(folder .. "/start.log")
    remove()
    error("nginx did not start: " .. output, 2)
  end
  self.guard = assert(io.popen(guard:format(folder), "w"))
  await("nginx's pid", function() return self:pid() end)
  return self
end

--- Writes the configuration, for the next start or reload.
function Nginx:configure(options)
  project.write(self.folder .. "/nginx.conf", configuration(options, self.port))
end

--- The process id of the master, or of the old one while a newer binary runs; nil when it has ended.
function Nginx:pid(name)
  local file = io.open(self.folder .. "/nginx.pid" .. (name or ""))
  local pid = file and file:read "*n"
  if file then file:close() end
  return pid
end

-- One that has ended but is not collected yet has no command line.
local function is_alive(pid)
  return select(2, project.run(("grep -q . /proc/%d/cmdline"):format(pid))) == 0
end

--- The process ids of a master's workers, those that are about to end too; sorted.
function Nginx:workers(master)
  local list = {}
  local master_pid = master or self:pid()
  for pid in project.run(("cat /proc/%d/task/%d/children"):format(master_pid, master_pid)):gmatch "%d+" do
    list[#list + 1] = tonumber(pid)
  end
  table.sort(list)
  return list
end

--- The module that a worker has loaded: its path.
function Nginx:loaded()
  return project.read(("/proc/%d/maps"):format(self:workers()[1])):match "(%S+/chainlink/core%.so)"
end

--- The last worker that wrote that it has the stream of a feed.
function Nginx:leader()
  return tonumber(self:log():match ".*%[notice%] (%d+)#[^\n]*this worker has the stream")
end

--- Sends a signal by name to the master, or to a process.
function Nginx:signal(name, pid)
  local output, status = project.run(("kill -%s %d"):format(name, pid or self:pid()))
  assert(status == 0, output)
end

--- An open request: a socket to read its answer from. With headers it is one of HTTP/1.1.
function Nginx:open(path, headers)
  local client = assert(socket.connect("127.0.0.1", self.port))
  client:settimeout(PATIENCE)
  local version = headers and "1.1\r\nHost: localhost\r\n" .. headers or "1.0\r\n"
  assert(client:send(("GET %s HTTP/%s\r\n"):format(path, version)))
  return client
end

--- An answer: body, status.
function Nginx:get(path)
  local client = self:open(path)
  local answer = assert(client:receive "*a")
  client:close()
  local status, body = answer:match "^HTTP/1%.%d (%d+).-\r\n\r\n(.*)$"
  return body, tonumber(status)
end

function Nginx:log()
  return project.read(self.folder .. "/error.log")
end

--- Ends it by a signal and waits for the end of its processes.
function Nginx:stop(name)
  if not self.guard then return end
  local pid = self:pid()
  if pid and is_alive(pid) then
    self:signal(name or "TERM", pid)
    await("nginx's end", function() return not is_alive(pid) end)
  end
  self.guard:close()
  self.guard = nil
  self.remove()
end

return nginx
