import time
import pytest
from tests import world as w
@pytest.mark.parametrize("n", range(4))
def test_world(app, n):
    t=time.time()
    x=w.build(app)
    print("build", time.time()-t)
    t=time.time()
    print(w.served(x)); print(time.time()-t)
