// The program is its own helper process.
#include <gmock/gmock.h>

#include "backends/pam_fake_helper.h"
#include "backends/pam_helper.h"

int main(int argc, char** argv) {
  credcache::RunFakeHelperIfAsked(argc, argv);
  if (const std::optional<int> exit_code = credcache::RunPamHelper(argc, argv)) return *exit_code;
  testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}
