"""Make bench/data/speech/alice.flac from alice.txt: `apt install flite`, then `python tools/make_speech.py`.

Flite 2.2 gives the same samples on every run. The project never rebuilds the file: its hash is in
`bench/audio/clips.py`, and records of different machines compare only while all of them hear these
very samples.
"""

import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile as sf

SPEECH = Path(__file__).parent.parent / "bench" / "data" / "speech"
STEP = 8  # 13 of 16 bits are kept: the rounding noise is at -83 dBFS, and the FLAC has 1.0 instead of 1.4 MB


def main() -> None:
    """Synthesise, round, encode."""
    with tempfile.TemporaryDirectory() as folder:
        spoken = Path(folder) / "alice.wav"
        command = ["flite", "-voice", "slt", "-f", str(SPEECH / "alice.txt"), "-o", str(spoken)]
        subprocess.run(command, check=True)
        samples, rate = sf.read(spoken, dtype="int16")
    rounded = (np.round(samples / STEP) * STEP).astype(np.int16)
    sf.write(SPEECH / "alice.flac", rounded, rate, subtype="PCM_16", compression_level=1.0)


if __name__ == "__main__":
    main()
