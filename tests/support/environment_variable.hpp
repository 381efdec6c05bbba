#pragma once

#include <cstdlib>
#include <string>

namespace support {

/// Sets a variable of the environment while it lives. Its name is borrowed.
class environment_variable {
public:
    environment_variable(const char* name, const std::string& value) : name_{name} { ::setenv(name, value.c_str(), 1); }
    environment_variable(const environment_variable&) = delete;
    auto operator=(const environment_variable&) -> environment_variable& = delete;
    ~environment_variable() { ::unsetenv(name_); }

private:
    const char* name_;
};

} // namespace support
