"""When will a pool be spent? Pure: what was seen goes in, seconds come out, or the reason why nobody can say.

`Past` keeps what was seen of one pool, in bounded memory; `forecast` judges it.
"""

from collector.forecast.judge import Forecast, Unforeseen, forecast
from collector.forecast.past import Past

__all__ = ["Forecast", "Past", "Unforeseen", "forecast"]
