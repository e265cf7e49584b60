"""Long answers judged by another model beside reference answers, through any endpoint that speaks OpenAI's API."""
