#pragma once

namespace freshet {

/// A `shareable` type's operations may run on several threads at once.
///
/// The compiler cannot see this, so the author says it: `using is_shareable = void;`.
template <class T>
concept shareable = requires { typename T::is_shareable; };

} // namespace freshet
