// The one call of libFuzzer's library without a `main`: runs until its options say that it is over, and ends the process.
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*callback)(const uint8_t *data, size_t size));
