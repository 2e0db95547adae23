-- SPDX-License-Identifier: MIT
-- Draws charts over time as SVG, for the tutorials: panels one above the other, each with its own scale.

local svg = {}
local Chart = {}
Chart.__index = Chart

local WIDTH, LEFT, RIGHT, TOP, SPACE = 820, 74, 16, 40, 34
local INK, GRID, PAPER = "#1d2433", "#d9dee8", "#ffffff"

local STYLE = ([[
<style>
text { font: 12px sans-serif; fill: %s }
.title { font: bold 15px sans-serif }
.grid { stroke: %s }
.line { fill: none; stroke-width: 1.6 }
</style>
]]):format(INK, GRID)

-- To a tenth; what is exactly between two of them each Lua would round in its own way.
local function tenth(number) return math.floor(10 * number + 0.5) / 10 end

local function escaped(text)
  return (text:gsub("[&<>]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;" }))
end

--- A chart of the time from one Unix second to another.
function svg.chart(title, from, to)
  return setmetatable({ title = title, from = from, to = to, bottom = TOP, out = {} }, Chart)
end

function Chart:write(text, ...)
  self.out[#self.out + 1] = text:format(...)
end

function Chart:x(second)
  return tenth(LEFT + (WIDTH - LEFT - RIGHT) * (second - self.from) / (self.to - self.from))
end

function Chart:text(x, y, text, more)
  self:write('<text x="%.1f" y="%.1f"%s>%s</text>\n', x, y, more or "", escaped(text))
end

--- A panel below the last one, so many pixels high: of values from `low` to `high`, with lines at five of them.
function Chart:panel(name, height, low, high, format)
  self.top, self.height, self.low, self.high = self.bottom + SPACE, height, low, high
  self.bottom = self.top + height
  self:text(LEFT, self.top - 10, name)
  for i = 0, 4 do
    local value = low + (high - low) * i / 4
    local y = self:y(value)
    self:write('<path class="grid" d="M%d %.1fH%d"/>\n', LEFT, y, WIDTH - RIGHT)
    self:text(LEFT - 8, y + 4, (format or "%.2f"):format(value), ' text-anchor="end"')
  end
end

function Chart:y(value)
  return tenth(self.top + self.height * (self.high - value) / (self.high - self.low))
end

--- A line through points {time, value}.
function Chart:line(points, colour)
  local path = {}
  for i, point in ipairs(points) do
    path[i] = ("%s%.1f %.1f"):format(i == 1 and "M" or "L", self:x(point[1]), self:y(point[2]))
  end
  self:write('<path class="line" stroke="%s" d="%s"/>\n', colour, table.concat(path))
end

--- A bar from one time and value to others.
function Chart:bar(from, to, low, high, colour)
  local left, top = self:x(from), self:y(high)
  self:write('<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>\n', left, top,
    math.max(1, self:x(to) - left), math.max(1, self:y(low) - top), colour)
end

--- A dot with a word above it.
function Chart:mark(second, value, text, colour)
  local x, y = self:x(second), self:y(value)
  self:write('<circle cx="%.1f" cy="%.1f" r="4" fill="%s"/>\n', x, y, colour)
  self:text(x, y - 9, text, (' text-anchor="middle" style="fill:%s"'):format(colour))
end

--- The whole picture, with the hours below.
function Chart:finish()
  local height = self.bottom + 30
  for i = 0, 5 do
    local second = math.floor(self.from + (self.to - self.from) * i / 5)
    local anchor = i == 0 and "start" or i == 5 and "end" or "middle"
    self:text(self:x(second), self.bottom + 20, os.date("!%H:%M:%S", second), (' text-anchor="%s"'):format(anchor))
  end
  return table.concat {
    ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img">\n'):format(WIDTH, height), STYLE,
    ('<rect width="%d" height="%d" fill="%s"/>\n'):format(WIDTH, height, PAPER),
    ('<text class="title" x="%d" y="%d">%s</text>\n'):format(LEFT, TOP - 14, escaped(self.title)),
    table.concat(self.out), "</svg>\n",
  }
end

return svg
