from ingestor.model.log_file import FileIdentity
from ingestor.model.trail import line_digests
from ingestor.state.generations import Generations


def test_the_beginning_of_a_trail_is_that_of_the_line_that_took_the_place_of_its_half() -> None:
    generations = Generations()
    generation = generations.begin("audit", "/var/log/audit.log", FileIdentity(1, 2))
    generation.trail.add(line_digests(b'header\n{"half": "abc'))
    assert generations.beginning_of(generation) == generations.trail_of(generation)
    generations.forget_last_line(generation)
    generation.trail.add(line_digests(b'{"half": "abcdef"}\n'))
    assert generations.beginning_of(generation) == generations.trail_of(generation)
