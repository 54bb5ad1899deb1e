"""The CPU that this process takes, measured, against what it may take. The edge of agent.budget."""

import time
from dataclasses import dataclass, field

from agent.budget import Budget


@dataclass(slots=True)
class Spending:
    """Follows one budget. For the thread of the sampling loop."""

    budget: Budget
    _sampling_s: float = 0.0
    """Spent on sampling since the latest settlement."""
    _process_s: float = field(default_factory=time.process_time)
    _settled_at_s: float | None = None

    def add(self, cpu_s: float) -> None:
        """Sampling took so much."""
        self._sampling_s += cpu_s

    def expect(self, cpu_s: float) -> None:
        """A sample takes so much."""
        self.budget = self.budget.expecting(cpu_s)

    def settle(self, now_s: float) -> Budget:
        """Bring the budget up to date; `now_s` is monotonic. Whatever else the process took is charged as others'."""
        process_s = time.process_time()
        elapsed_s = 0.0 if self._settled_at_s is None else now_s - self._settled_at_s
        others_s = max(0.0, process_s - self._process_s - self._sampling_s)
        self.budget = self.budget.after(elapsed_s, self._sampling_s, others_s)
        self._sampling_s, self._process_s, self._settled_at_s = 0.0, process_s, now_s
        return self.budget
