-- SPDX-License-Identifier: MIT
-- What this process holds of the system (Linux: /proc).

local process = {}

local function field(name)
  for line in io.lines "/proc/self/status" do
    local value = line:match("^" .. name .. ":%s*(%d+)")
    if value then return tonumber(value) end
  end
end

local function own_pid() return assert(io.open "/proc/self/stat"):read "n" end

--- KiB in memory, threads, and with `all` descriptors, which costs a process.
function process.usage(all)
  local usage = { rss = field "VmRSS", threads = field "Threads" }
  if all then
    local pipe = assert(io.popen(("ls /proc/%d/fd | wc -l"):format(own_pid())))
    usage.descriptors = pipe:read "n" - 1 -- the pipe's own
    pipe:close()
  end
  return usage
end

--- Words for people.
function process.words(usage)
  return ("RSS %.1f MiB, %d descriptors, %d threads"):format(usage.rss / 1024, usage.descriptors, usage.threads)
end

--- The slope of y over x by least squares.
function process.slope(points)
  local n, sx, sy, sxx, sxy = #points, 0, 0, 0, 0
  for _, point in ipairs(points) do
    local x, y = point[1], point[2]
    sx, sy, sxx, sxy = sx + x, sy + y, sxx + x * x, sxy + x * y
  end
  return (n * sxy - sx * sy) / (n * sxx - sx * sx)
end

return process
