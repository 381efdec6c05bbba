# The compiled part of date, with the time zones: found with date itself, or not at all.
if(TARGET date::date-tz)
  set(date-tz_FOUND ON)
else()
  set(date-tz_FOUND OFF)
endif()
