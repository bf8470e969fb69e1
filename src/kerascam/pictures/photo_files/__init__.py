"""Read the image files of photographs, whatever is in them."""

from .decoding import bound_opencv as bound_opencv
from .headers import BadPhotoError as BadPhotoError
from .reading import OUT_OF_MEMORY as OUT_OF_MEMORY
from .reading import read_photo as read_photo
from .settings import FULL_DEPTH as FULL_DEPTH
from .settings import Reading as Reading
from .suffixes import is_image as is_image
from .suffixes import unreadable as unreadable
