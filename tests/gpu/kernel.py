"""One model on an NVIDIA GPU, through its driver alone: no runtime has to be installed.

The model is a chain of multiplications and additions on every core, in PTX, which the driver
compiles for whatever GPU it finds.
"""

import ctypes
import select
import sys
from collections.abc import Callable
from typing import Final

from carbon_node.errors import TrackerError
from carbon_node.tracking import workload
from carbon_node.tracking.failures import FailureName
from carbon_node.tracking.messages import Job, send

BLOCKS: Final = 4096
THREADS: Final = 256
ROUNDS: Final = 20_000

PTX: Final = b"""
.version 7.0
.target sm_70
.address_size 64

.visible .entry chain(.param .u64 answer, .param .u32 rounds)
{
  .reg .pred %p<2>;
  .reg .f32 %f<8>;
  .reg .b32 %r<8>;
  .reg .b64 %rd<5>;

  ld.param.u64 %rd1, [answer];
  ld.param.u32 %r1, [rounds];
  mov.u32 %r2, %ctaid.x;
  mov.u32 %r3, %ntid.x;
  mov.u32 %r4, %tid.x;
  mad.lo.s32 %r5, %r2, %r3, %r4;
  cvt.rn.f32.u32 %f1, %r5;
  add.f32 %f2, %f1, 0f3F800000;
  add.f32 %f3, %f1, 0f40000000;
  add.f32 %f4, %f1, 0f40400000;
  mov.f32 %f5, 0f3F7FBE77;
  mov.f32 %f6, 0f3A83126F;
  mov.u32 %r6, 0;
again:
  fma.rn.f32 %f1, %f1, %f5, %f6;
  fma.rn.f32 %f2, %f2, %f5, %f6;
  fma.rn.f32 %f3, %f3, %f5, %f6;
  fma.rn.f32 %f4, %f4, %f5, %f6;
  add.u32 %r6, %r6, 1;
  setp.lt.u32 %p1, %r6, %r1;
  @%p1 bra again;
  add.f32 %f1, %f1, %f2;
  add.f32 %f3, %f3, %f4;
  add.f32 %f1, %f1, %f3;
  cvta.to.global.u64 %rd2, %rd1;
  mul.wide.u32 %rd3, %r5, 4;
  add.s64 %rd4, %rd2, %rd3;
  st.global.f32 [%rd4], %f1;
  ret;
}
"""


class GpuError(Exception):
    """The driver refused a call."""


def run(job: Job, result: int, _raw_model: int | None) -> None:
    """Measure the model as the node measures any."""
    send(result, {"observation": workload.observed_inferences(job, _loaded)})


class Model:
    """The model on one GPU, loaded; each call runs one inference.

    Args:
        device: number among the visible GPUs.

    Raises:
        GpuError: there is none, or it refuses.
        OSError: there is no driver.
    """

    def __init__(self, device: int = 0) -> None:
        self._cuda = ctypes.CDLL("libcuda.so.1")
        context, module, self._function = (ctypes.c_void_p() for _ in range(3))
        handle, self._memory, self._rounds = ctypes.c_int(), ctypes.c_uint64(), ctypes.c_uint32()
        self._call("cuInit", 0)
        self._call("cuDeviceGet", ctypes.byref(handle), device)
        self._call("cuDevicePrimaryCtxRetain", ctypes.byref(context), handle)
        self._call("cuCtxSetCurrent", context)
        self._call("cuModuleLoadData", ctypes.byref(module), PTX)
        self._call("cuModuleGetFunction", ctypes.byref(self._function), module, b"chain")
        size_bytes = ctypes.c_size_t(4 * BLOCKS * THREADS)
        self._call("cuMemAlloc_v2", ctypes.byref(self._memory), size_bytes)
        self._rounds.value = ROUNDS
        arguments = (ctypes.addressof(self._memory), ctypes.addressof(self._rounds))
        self._arguments = (ctypes.c_void_p * 2)(*arguments)
        self()

    def __call__(self) -> None:
        """Run one inference to its end."""
        shape = (BLOCKS, 1, 1, THREADS, 1, 1)
        self._call("cuLaunchKernel", self._function, *shape, 0, None, self._arguments, None)
        self._call("cuCtxSynchronize")

    def _call(self, name: str, *arguments: object) -> None:
        status = getattr(self._cuda, name)(*arguments)
        if status != 0:
            raise GpuError(f"{name} ended with status {status}")


def _loaded() -> Callable[[], object]:
    try:
        return Model()
    except (GpuError, OSError) as error:
        raise TrackerError(FailureName.MODEL_FAILED, str(error)) from error


def main() -> None:
    """Keep the GPU busy until standard input ends: the load by others."""
    model = Model()
    print("busy", flush=True)  # noqa: T201 - whoever started it waits for this
    while not select.select([sys.stdin], [], [], 0)[0]:
        model()


if __name__ == "__main__":
    main()
